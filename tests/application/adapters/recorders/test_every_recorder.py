"""Facts that hold for every recorder."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from application.event_log import Conflict, StoreUnavailable
from tests.application.adapters.recorders.examples import event, everything, opened, outcomes, same
from tests.helpers import run


def test_an_insert_over_several_streams_is_read_back_as_it_was_written(store: str) -> None:
    async def fact() -> None:
        async with opened(store) as recorder:
            order, window = uuid4(), uuid4()
            written = [event(order, 1, b'{"a":1}'), event(order, 2, b"\x00\xff"), event(window, 1, topic="window.v1")]

            position = await recorder.insert(written)

            assert position == await recorder.max_position()
            assert same(await everything(recorder), written)
            assert same(await recorder.select([order]), written[:2])

    run(fact())


def test_a_conflict_in_one_stream_leaves_nothing_in_any(store: str) -> None:
    async def fact() -> None:
        async with opened(store) as recorder:
            taken, fresh = uuid4(), uuid4()
            first = await recorder.insert([event(taken, 1)])

            with pytest.raises(Conflict):
                await recorder.insert([event(fresh, 1), event(taken, 2), event(taken, 1, b"other")])

            assert await recorder.max_position() == first
            assert await recorder.select([fresh]) == []
            assert same(await recorder.select([taken]), [event(taken, 1)])

    run(fact())


def test_the_same_version_twice_in_one_insert_is_a_conflict(store: str) -> None:
    async def fact() -> None:
        async with opened(store) as recorder:
            stream = uuid4()

            with pytest.raises(Conflict):
                await recorder.insert([event(stream, 1), event(stream, 1)])

            assert await recorder.max_position() == 0

    run(fact())


def test_positions_rise_strictly_in_the_order_of_the_events(store: str) -> None:
    async def fact() -> None:
        async with opened(store) as recorder:
            streams = [uuid4() for _ in range(20)]
            last = [await recorder.insert([event(stream, version) for version in (1, 2, 3)]) for stream in streams]

            positions = [one.id for one in await everything(recorder)]

            assert positions == sorted(set(positions))
            assert positions[2::3] == last
            assert same(
                await everything(recorder), [event(stream, version) for stream in streams for version in (1, 2, 3)]
            )

    run(fact())


def test_of_many_that_race_for_a_version_one_wins_and_the_bystanders_are_not_hurt(store: str) -> None:
    async def fact() -> None:
        async with opened(store) as recorder:
            contested, others = uuid4(), [uuid4() for _ in range(50)]
            races = [[event(other, 1), event(contested, 1, str(n).encode())] for n, other in enumerate(others)]
            bystanders = [[event(uuid4(), 1)] for _ in others]

            raced = await outcomes(
                recorder, [insert for pair in zip(races, bystanders, strict=True) for insert in pair]
            )

            assert sum(isinstance(outcome, int) for outcome in raced[0::2]) == 1
            assert sum(isinstance(outcome, Conflict) for outcome in raced[0::2]) == 49
            assert all(isinstance(outcome, int) for outcome in raced[1::2])
            assert len(await everything(recorder)) == 2 + 50
            (winner,) = await recorder.select([contested])
            assert len(await recorder.select(others)) == 1
            assert raced[2 * int(winner.state)] == winner.id

    run(fact())


def test_many_tasks_write_their_streams_at_the_same_time(store: str) -> None:
    async def fact() -> None:
        async with opened(store) as recorder:
            streams = [uuid4() for _ in range(100)]

            async def write(number: int) -> None:
                for version in (1, 2, 3):
                    await recorder.insert([event(streams[number], version)])

            await asyncio.gather(*(write(number) for number in range(100)))

            assert len(await everything(recorder)) == 300
            for stream in streams[:5]:
                assert [one.originator_version for one in await recorder.select([stream])] == [1, 2, 3]

    run(fact())


def test_select_takes_many_streams_at_once_and_stops_at_a_position(store: str) -> None:
    async def fact() -> None:
        async with opened(store) as recorder:
            a, b, unseen = uuid4(), uuid4(), uuid4()
            await recorder.insert([event(a, 1), event(b, 1)])
            then = await recorder.insert([event(a, 2)])
            await recorder.insert([event(b, 2), event(a, 3)])

            now, before = await recorder.select([b, unseen, a]), await recorder.select([a, b], up_to=then)

            assert [one.originator_version for one in now if one.originator_id == a] == [1, 2, 3]
            assert [one.originator_version for one in now if one.originator_id == b] == [1, 2]
            assert sorted((one.originator_id == a, one.originator_version) for one in before) == [
                (False, 1),
                (True, 1),
                (True, 2),
            ]
            assert await recorder.select([]) == []

    run(fact())


def test_notifications_start_inclusively_end_at_the_limit_and_keep_to_the_topics(store: str) -> None:
    async def fact() -> None:
        async with opened(store) as recorder:
            stream = uuid4()
            for version in range(1, 11):
                await recorder.insert([event(stream, version, topic=f"example.{'odd' if version % 2 else 'even'}.v1")])
            third = (await everything(recorder))[2].id

            some = await recorder.notifications(third, 4)
            odd = await recorder.notifications(third, 3, ["example.odd.v1", "example.unheard-of.v1"])

            assert [one.originator_version for one in some] == [3, 4, 5, 6]
            assert [one.originator_version for one in odd] == [3, 5, 7]
            assert await recorder.notifications(await recorder.max_position() + 1, 10) == []

    run(fact())


def test_a_cancelled_waiter_does_not_hurt_those_who_wait_with_it(store: str) -> None:
    async def fact() -> None:
        async with opened(store) as recorder:
            waiters = [asyncio.create_task(recorder.insert([event(uuid4(), 1)])) for _ in range(9)]
            await asyncio.sleep(0)
            waiters[4].cancel()

            ended = await asyncio.gather(*waiters, return_exceptions=True)

            assert isinstance(ended[4], asyncio.CancelledError)
            assert all(isinstance(outcome, int) for outcome in ended[:4] + ended[5:])

    run(fact())


def test_an_empty_log_is_at_position_0(store: str) -> None:
    async def fact() -> None:
        async with opened(store) as recorder:
            assert await recorder.max_position() == 0
            assert await everything(recorder) == []

    run(fact())


def test_a_closed_recorder_is_unavailable_after_it_has_written_what_waited(store: str) -> None:
    async def fact() -> None:
        async with opened(store) as recorder:
            waiting = [asyncio.create_task(recorder.insert([event(uuid4(), 1)])) for _ in range(10)]
            await asyncio.sleep(0.01)

            await recorder.close()

            assert len({await task for task in waiting}) == 10
            with pytest.raises(StoreUnavailable):
                await recorder.insert([event(uuid4(), 1)])
            with pytest.raises(StoreUnavailable):
                await recorder.max_position()

    run(fact())

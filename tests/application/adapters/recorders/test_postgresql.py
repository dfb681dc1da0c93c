"""Facts about stored events in PostgreSQL."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from eventsourcing.persistence import StoredEvent

from application.adapters.recorders import PostgresRecorder, postgresql_sessions, postgresql_writer
from application.event_log import Conflict, Recorder, StoreUnavailable
from tests.application.adapters.recorders.examples import event, everything, opened, outcomes, same
from tests.application.adapters.recorders.lossy_proxy import Fault, lossy
from tests.helpers import run


@asynccontextmanager
async def administrator(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


def test_inserts_that_come_together_share_transactions(postgresql_url: str) -> None:
    async def fact() -> None:
        async with opened(postgresql_url) as recorder:
            assert isinstance(recorder, PostgresRecorder)

            await outcomes(recorder, [[event(uuid4(), 1)] for _ in range(500)])

            assert len(await everything(recorder)) == 500
            assert recorder.commits < 50

    run(fact())


@pytest.mark.parametrize("distant", [True, False])
def test_where_the_server_is_far_away_an_insert_does_not_wait_for_the_answer_to_another(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch, distant: bool
) -> None:
    monkeypatch.setattr(postgresql_writer, "DISTANT_S", 0.0 if distant else 60.0)

    async def fact() -> None:
        async with lossy(postgresql_url) as proxy, opened(postgresql_url), opened(proxy.url) as recorder:
            await recorder.insert([event(uuid4(), 1)])
            proxy.fault = Fault.HOLD_REQUEST
            held = asyncio.create_task(recorder.insert([event(uuid4(), 1)]))
            await proxy.struck.wait()

            done, _ = await asyncio.wait([asyncio.create_task(recorder.insert([event(uuid4(), 1)]))], timeout=0.5)
            assert bool(done) is distant
            assert not held.done()

            proxy.let_go.set()
            await held

    run(fact())


def test_until_the_distance_is_known_there_is_one_insert_at_a_time(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_writer, "DISTANT_S", 0.0)

    async def fact() -> None:
        async with lossy(postgresql_url) as proxy, opened(postgresql_url), opened(proxy.url) as recorder:
            proxy.fault = Fault.HOLD_REQUEST
            first = asyncio.create_task(recorder.insert([event(uuid4(), 1)]))
            await proxy.struck.wait()

            second = asyncio.create_task(recorder.insert([event(uuid4(), 1)]))
            done, _ = await asyncio.wait([second], timeout=0.5)
            assert not done

            proxy.let_go.set()
            await asyncio.gather(first, second)

    run(fact())


def test_an_insert_does_not_wait_for_the_reads_that_came_before_it(postgresql_url: str) -> None:
    ended: list[str] = []

    async def ending(name: str, work: Awaitable[object]) -> None:
        await work
        ended.append(name)

    async def fact() -> None:
        async with opened(postgresql_url):  # migrates
            recorder = PostgresRecorder(postgresql_url, max_connections=1)
            reads = [asyncio.create_task(ending("read", recorder.select([uuid4()]))) for _ in range(50)]
            await asyncio.sleep(0)
            await ending("insert", recorder.insert([event(uuid4(), 1)]))
            await asyncio.gather(*reads)
            await recorder.close()

    run(fact())
    assert len(ended) == 51
    assert ended.index("insert") <= 4


WRITE = """
import asyncio, sys
from uuid import uuid4
from application.adapters.recorders import open_recorder
from tests.application.adapters.recorders.examples import event

async def write(recorder, inserts):
    for _ in range(inserts):
        await recorder.insert([event(uuid4(), 1), event(uuid4(), 1)])

async def main():
    recorder = open_recorder(sys.argv[1])
    await asyncio.gather(*(write(recorder, 50) for _ in range(5)))
    await recorder.close()

asyncio.run(main())
"""


def test_a_reader_that_tails_four_writing_processes_misses_nothing(postgresql_url: str) -> None:
    async def fact() -> None:
        async with opened(postgresql_url) as recorder:
            writers = [subprocess.Popen([sys.executable, "-c", WRITE, postgresql_url]) for _ in range(4)]
            seen: list[int] = []
            while len(seen) < 2_000:
                next_ones = await recorder.notifications(seen[-1] + 1 if seen else 1, 100)
                seen.extend(one.id for one in next_ones)

            assert [writer.wait() for writer in writers] == [0, 0, 0, 0]
            assert seen == [one.id for one in await everything(recorder)]

    run(fact())


def test_a_later_position_is_not_given_out_before_the_earlier_one_is_visible(postgresql_url: str) -> None:
    async def fact() -> None:
        async with opened(postgresql_url) as recorder, administrator(postgresql_url) as slow:
            async with slow.transaction():
                positions = await slow.fetchval(
                    "SELECT append_stored_events($1, $2, $3, $4, $5, true)", [1], [uuid4()], [1], ["slow.v1"], [b"{}"]
                )
                later = asyncio.create_task(recorder.insert([event(uuid4(), 1)]))
                await asyncio.sleep(0.1)
                assert await recorder.max_position() == 0
            assert await later > positions[0]
            assert [one.id for one in await everything(recorder)] == [positions[0], await later]

    run(fact())


async def insert_until_written(recorder: Recorder, events: list[StoredEvent]) -> int:
    """As a caller may: again after each certain no. A Conflict would mean that such a no was wrong."""
    while True:
        with suppress(StoreUnavailable):
            return await recorder.insert(events)


async def kill_inserting_sessions(url: str) -> None:
    """For ever end the sessions whose present or last statement is an insert: before, in and after its commit."""
    async with administrator(url) as admin:
        while True:
            await asyncio.sleep(0.005)
            await admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE query LIKE 'SELECT append_stored_events%' AND datname = current_database()"
            )


def test_sessions_that_are_killed_during_inserts_lose_nothing_and_double_nothing(postgresql_url: str) -> None:
    async def fact() -> None:
        async with opened(postgresql_url) as recorder:
            killer = asyncio.create_task(kill_inserting_sessions(postgresql_url))
            inserts = [[event(uuid4(), 1), event(uuid4(), 1)] for _ in range(400)]
            positions: list[int] = []
            while len(positions) < len(inserts):
                some = inserts[len(positions) : len(positions) + 4]
                positions += await asyncio.gather(*(insert_until_written(recorder, events) for events in some))
            killer.cancel()
            await asyncio.wait([killer])

        async with opened(postgresql_url) as recorder:
            found = await everything(recorder)

        assert same([one for one in found if one.id in positions], [last for _, last in inserts])
        assert len(found) == 800

    run(fact())


def test_a_table_that_stays_locked_makes_the_store_unavailable_until_it_is_let_go(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(postgresql_sessions.SERVER_SETTINGS, "lock_timeout", "50ms")

    async def fact() -> None:
        async with administrator(postgresql_url) as admin, opened(postgresql_url) as recorder:
            stream = uuid4()
            async with admin.transaction():
                await admin.execute("LOCK TABLE stored_events IN ACCESS EXCLUSIVE MODE")
                with pytest.raises(StoreUnavailable):
                    await recorder.insert([event(stream, 1)])
            await recorder.insert([event(stream, 1)])

    run(fact())


def test_a_server_that_is_not_there_makes_the_store_unavailable(tmp_path: Path) -> None:
    async def fact() -> None:
        recorder = PostgresRecorder(f"postgresql://nobody@/orders?host={tmp_path}")
        with pytest.raises(StoreUnavailable):
            await recorder.insert([event(uuid4(), 1)])
        with pytest.raises(StoreUnavailable):
            await recorder.max_position()
        await recorder.close()

    run(fact())


def test_the_function_reports_a_damaged_sequence_as_such_and_not_as_a_conflict(postgresql_url: str) -> None:
    async def fact() -> None:
        async with administrator(postgresql_url) as admin, opened(postgresql_url) as recorder:
            await recorder.insert([event(uuid4(), 1)])
            await admin.execute("ALTER TABLE stored_events ALTER COLUMN notification_id RESTART WITH 1")
            with pytest.raises(StoreUnavailable):
                await recorder.insert([event(uuid4(), 1)])

    run(fact())


def test_in_a_group_only_the_insert_whose_version_was_taken_conflicts(postgresql_url: str) -> None:
    async def fact() -> None:
        async with opened(postgresql_url) as recorder:
            taken, fresh, twice = uuid4(), uuid4(), uuid4()
            before = await recorder.insert([event(taken, 1)])
            group = [
                [event(uuid4(), 1), event(uuid4(), 1)],
                [event(fresh, 1), event(taken, 1, b"other")],
                [event(twice, 1, b"first")],
                [event(twice, 1, b"second")],
                [event(uuid4(), 1)],
            ]

            ended = await outcomes(recorder, group)

            assert [type(one) for one in ended] == [int, Conflict, int, Conflict, int]
            written = [one for one in await everything(recorder) if one.id > before]
            assert same(written, [*group[0], *group[2], *group[4]])
            assert [ended[0], ended[2], ended[4]] == [written[1].id, written[2].id, written[3].id]
            assert recorder.commits == 2  # type: ignore[attr-defined]

    run(fact())

"""Places are given in the order of arrival, and none is lost, whoever gives up waiting."""

from __future__ import annotations

import asyncio
import time

import pytest

from application.semaphores import Places


def test_a_place_that_is_free_is_taken_without_waiting() -> None:
    taking = Places(1).take(1.0)
    with pytest.raises(StopIteration):
        taking.send(None)


def test_places_are_given_in_the_order_of_arrival() -> None:
    async def scenario() -> list[int]:
        places = Places(2)
        given: list[int] = []

        async def comer(number: int) -> None:
            await places.take(1.0)
            given.append(number)
            await asyncio.sleep(0)
            places.release()

        await asyncio.gather(*(comer(number) for number in range(9)))
        return given

    assert asyncio.run(scenario()) == list(range(9))


def test_who_gives_up_leaves_the_place_to_the_next() -> None:
    async def scenario() -> None:
        places = Places(1)
        await places.take(1.0)
        with pytest.raises(TimeoutError):
            await places.take(0.01)
        next_one = asyncio.create_task(places.take(1.0))
        await asyncio.sleep(0)
        places.release()
        await next_one
        places.release()
        await places.take(0.0)

    asyncio.run(scenario())


def test_who_is_cancelled_in_the_moment_of_being_handed_a_place_passes_it_on() -> None:
    async def scenario() -> None:
        places = Places(1)
        await places.take(1.0)
        first, second = asyncio.create_task(places.take(1.0)), asyncio.create_task(places.take(1.0))
        await asyncio.sleep(0)
        places.release()  # to the first
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        await asyncio.wait_for(second, 0.5)

    asyncio.run(scenario())


def test_a_place_is_taken_once() -> None:
    async def scenario() -> None:
        places = Places(3)
        under_way = most = 0

        async def comer() -> None:
            nonlocal under_way, most
            await places.take(5.0)
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0.001)
            under_way -= 1
            places.release()

        await asyncio.gather(*(comer() for _ in range(30)))
        assert (under_way, most) == (0, 3)

    asyncio.run(scenario())


def test_who_is_cancelled_in_the_moment_of_giving_up_has_taken_no_place() -> None:
    async def scenario() -> None:
        places = Places(1)
        await places.take(1.0)
        waiting = asyncio.create_task(places.take(0.01))
        await asyncio.sleep(0)
        time.sleep(0.02)  # so that the loop finds the time over and the cancellation in one round
        asyncio.get_running_loop().call_later(0.01, waiting.cancel)
        with pytest.raises((asyncio.CancelledError, TimeoutError)):
            await waiting
        assert places.all_taken
        places.release()
        await places.take(0.0)

    asyncio.run(scenario())

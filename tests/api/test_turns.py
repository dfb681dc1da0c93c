"""Orders that come together begin a few at a time, in the order of their arrival."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic

import pytest

from api.turns import Turn, Turns
from tests.api.world import Api, World, a_body
from tests.helpers import run


async def begun(asking: asyncio.Task[Turn]) -> bool:
    """Whether the turn has been given."""
    for _ in range(3):
        await asyncio.sleep(0)
    return asking.done()


def test_turns_are_given_in_the_order_of_arrival_and_no_more_than_so_many_at_once() -> None:
    async def scenario() -> None:
        turns = Turns(at_once=2, max_wait_s=60.0)
        first, second = await turns.take(), await turns.take()
        third, fourth = asyncio.create_task(turns.take()), asyncio.create_task(turns.take())
        assert not await begun(third)
        first.end()
        assert await begun(third)
        assert not await begun(fourth)
        second.end()
        assert await begun(fourth)

    run(scenario())


def test_ending_a_turn_twice_frees_one_place() -> None:
    async def scenario() -> None:
        turns = Turns(at_once=1, max_wait_s=60.0)
        turn = await turns.take()
        turn.end()
        turn.end()
        await turns.take()
        waiting = asyncio.create_task(turns.take())
        assert not await begun(waiting)
        waiting.cancel()

    run(scenario())


def test_who_has_waited_long_enough_begins_all_the_same_and_frees_nothing_of_others() -> None:
    async def scenario() -> None:
        turns = Turns(at_once=1, max_wait_s=0.01)
        held = await turns.take()
        late = await turns.take()
        late.end()
        waiting = asyncio.create_task(turns.take())
        assert not await begun(waiting)
        held.end()
        assert await begun(waiting)

    run(scenario())


def test_a_waiter_that_goes_away_takes_no_turn() -> None:
    async def scenario() -> None:
        turns = Turns(at_once=1, max_wait_s=60.0)
        held = await turns.take()
        gone = asyncio.create_task(turns.take())
        assert not await begun(gone)
        gone.cancel()
        held.end()
        assert await begun(asyncio.create_task(turns.take()))

    run(scenario())


def _spoil_the_token(world: World) -> None:
    world.sessions.clear()


def _break_the_handler(world: World) -> None:
    world.outcome = RuntimeError("broken")


def _forget_the_client(world: World) -> None:
    world.clients.clear()


@pytest.mark.parametrize("fail", [_spoil_the_token, _break_the_handler, _forget_the_client])
def test_a_request_that_fails_gives_its_turn_back(api: Api, fail: Callable[[World], None]) -> None:
    fail(api.world)
    began_s = monotonic()
    answers = [api.pay(a_body()).status for _ in range(2)]  # there is a single place, and the second would wait for it
    assert "action-successful" not in answers
    assert monotonic() - began_s < 30

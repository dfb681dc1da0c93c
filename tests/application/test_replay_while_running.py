"""A repeat that comes while the first request is still running waits for it, up to the time it can take."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from application.commands import Outcome
from application.order_streams import RETRY_WAITS_S
from application.ports import (
    GatewayCodes,
    OutcomeUnknown,
)
from tests.application.stand_ins import after, unavailable, written
from tests.application.world import (
    KEYED_ORDER_ID,
    POLICY,
    World,
    keyed,
    succeeded,
)
from tests.helpers import run

NO_CODES = GatewayCodes("2", "2", "I00001")


def crashed() -> World:
    """The first request's outcome could not be stored: its order is left as attempted."""
    world = World()
    world.stores(written, *[unavailable] * (len(RETRY_WAITS_S) + 1))
    assert world.submit(keyed()).status == "application-crash"
    return world


def test_a_repeat_waits_for_the_first_and_both_tell_the_same() -> None:
    world = World()

    async def until_the_repeat_has_waited() -> None:
        while len(world.clock.slept_s) < 20:
            await asyncio.sleep(0)

    async def story() -> list[Outcome]:
        world.meanwhile(until_the_repeat_has_waited)
        return list(await asyncio.gather(world.handler(keyed()), world.handler(keyed())))

    first, again = run(story())

    assert again == replace(first, replayed=True)
    assert succeeded(first)
    assert len(world.gateway.charges) == 1


def test_a_repeat_waits_for_the_email_of_the_first_too() -> None:
    world = World()

    async def until_the_repeat_has_waited() -> None:
        while len(world.clock.slept_s) < 5:
            await asyncio.sleep(0)

    async def story() -> list[Outcome]:
        world.mailer.endings["orders@ada.example.com"] = ("rejected", "slug")
        world.mailer.while_sending = until_the_repeat_has_waited
        return list(await asyncio.gather(world.handler(keyed()), world.handler(keyed())))

    assert {outcome.status for outcome in run(story())} == {"mandrill-email-failed"}
    assert len(world.mailer.sent) == 1


def test_the_wait_for_an_email_has_an_end() -> None:
    world = World()
    world.stores(written, written, *[unavailable] * (len(RETRY_WAITS_S) + 1))
    world.submit(keyed())
    waits = len(world.clock.slept_s)

    assert succeeded(world.submit(keyed()))
    assert sum(world.clock.slept_s[waits:]) < 11


def test_an_order_still_open_after_the_first_must_have_ended_is_payment_outcome_unknown() -> None:
    world = crashed()
    began = world.clock.now()

    again = world.submit(keyed())

    assert (again.status, again.detail) == ("external-application-error", "payment-outcome-unknown")
    assert again.replayed
    payment = world.order(KEYED_ORDER_ID).payment
    assert payment is not None
    assert (world.clock.now() - payment.attempted_at).total_seconds() == pytest.approx(POLICY.charge_time_s, abs=0.2)
    assert world.clock.now() > began
    assert len(world.gateway.charges) == 1


def test_an_order_that_is_known_to_be_unknown_is_answered_without_a_wait() -> None:
    world = World()
    world.gateway.outcomes.append(OutcomeUnknown("time-out"))
    world.submit(keyed())

    world.submit(keyed())

    assert world.clock.slept_s == []


def test_a_race_of_two_under_one_key_has_one_winner_and_the_loser_replays_it() -> None:
    world = World()
    winners: list[Outcome] = []

    async def rival_goes_first() -> None:
        winners.append(await world.handler(keyed()))

    world.stores(after(rival_goes_first))

    loser = world.submit(keyed())

    assert loser == replace(winners[0], replayed=True)
    assert len(world.gateway.charges) == 1


def test_of_many_at_once_under_one_key_one_charges_and_all_tell_the_same() -> None:
    world = World()

    async def story() -> list[Outcome]:
        return await asyncio.gather(*(world.handler(keyed()) for _ in range(20)))

    outcomes = run(story())

    assert {(outcome.status, outcome.order_id) for outcome in outcomes} == {("action-successful", KEYED_ORDER_ID)}
    assert sorted(outcome.replayed for outcome in outcomes) == [False] + [True] * 19
    assert len(world.gateway.charges) == len(world.mailer.sent) == 1

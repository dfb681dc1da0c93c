"""A repeat under an idempotency key is answered from the order's current state and never charges."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from application.commands import Outcome, SubmitOrder
from application.order_streams import RETRY_WAITS_S
from application.ports import (
    Approved,
    ChargeOutcome,
    Declined,
    GatewayCodes,
    GatewayFailed,
    HeldForReview,
    NotSent,
    OutcomeUnknown,
)
from tests.application.stand_ins import APPROVED, after, unavailable, written
from tests.application.world import (
    ADA,
    GIFT100,
    IDS,
    POLICY,
    SHOP,
    SPRING10,
    World,
    a_command,
    succeeded,
)
from tests.helpers import run

NO_CODES = GatewayCodes("2", "2", "I00001")
KEY = "key-1"
ORDER_ID = IDS.order_id(ADA.id, KEY)


def keyed(house: int = 1, key: str = KEY, **changes: Any) -> SubmitOrder:
    return a_command(house, idempotency_key=key, **changes)


def crashed() -> World:
    """The first request's outcome could not be stored: its order is left as attempted."""
    world = World()
    world.stores(written, *[unavailable] * (len(RETRY_WAITS_S) + 1))
    assert world.submit(keyed()).status == "application-crash"
    return world


@pytest.mark.parametrize(
    "outcome",
    [
        Approved("60001", "000123", APPROVED),
        Declined("declined-payment", NO_CODES, "60001"),
        GatewayFailed("external-application-error", NO_CODES),
        HeldForReview("60001", NO_CODES),
        NotSent("dns"),
        OutcomeUnknown("time-out"),
    ],
    ids=lambda outcome: type(outcome).__name__,
)
def test_a_repeat_gets_the_first_answer_again_and_writes_and_calls_nothing(outcome: ChargeOutcome) -> None:
    world = World()
    world.gateway.outcomes.append(outcome)
    first = world.submit(keyed())
    before = list(world.timeline)

    again = world.submit(keyed())

    assert again == replace(first, position=None, replayed=True)
    assert world.timeline == before
    assert world.clock.slept_s == []


@pytest.mark.parametrize("promotion_code", ["NOPE", None])
def test_a_repeat_of_a_refusal_or_of_a_free_order_gets_that_again(promotion_code: str | None) -> None:
    world = World()
    changes: dict[str, Any] = {"promotion_code": promotion_code} if promotion_code else {"promotion": GIFT100}
    first = world.submit(keyed(**changes))

    again = world.submit(keyed(**changes))

    assert again == replace(first, position=None, replayed=True)


def test_a_repeat_of_a_duplicate_shows_the_earlier_order_and_what_is_left_to_wait() -> None:
    world = World()
    earlier = world.submit(a_command())
    world.clock.advance(20)
    first = world.submit(keyed())
    world.clock.advance(30)

    again = world.submit(keyed())

    assert (first.status, first.order_id, first.retry_after_seconds) == ("duplicate-payment", earlier.order_id, 100)
    assert again == replace(first, retry_after_seconds=70, position=None, replayed=True)


def test_a_failed_email_is_replayed_until_the_outbox_has_sent_it() -> None:
    world = World()
    world.mailer.endings["orders@ada.example.com"] = ("failed", "slug")
    first = world.submit(keyed())

    assert first.status == "mandrill-email-failed"
    assert world.submit(keyed()) == replace(first, position=None, replayed=True)


def test_another_body_under_the_key_is_refused_and_shows_nothing_of_the_order() -> None:
    world = World()
    world.submit(keyed(1))

    answer = world.submit(keyed(2))

    assert answer == Outcome("invalid-param", param="Idempotency-Key", detail="key-used-for-another-request")
    assert len(world.gateway.charges) == 1


def test_the_same_key_of_another_requester_is_another_order() -> None:
    world = World()

    outcomes = [world.submit(keyed(1)), world.submit(keyed(2, requester=SHOP))]

    assert all(succeeded(outcome) and not outcome.replayed for outcome in outcomes)
    assert len(world.gateway.charges) == 2


def test_the_order_id_follows_from_requester_and_key() -> None:
    assert World().submit(keyed()).order_id == ORDER_ID


def test_a_key_whose_order_was_declined_replays_the_decline_and_a_new_key_is_a_new_try() -> None:
    world = World()
    world.gateway.outcomes.append(Declined("declined-payment", NO_CODES, "60001"))
    world.submit(keyed(promotion=SPRING10))

    assert world.submit(keyed(promotion=SPRING10)).status == "declined-payment"
    assert succeeded(world.submit(keyed(promotion=SPRING10, key="key-2")))


def test_what_was_unknown_is_answered_as_a_success_once_recovery_has_found_the_charge() -> None:
    world = World()
    world.gateway.outcomes.append(OutcomeUnknown("time-out"))
    first = world.submit(keyed())
    run(world.adopt(ORDER_ID, "60001"))

    again = world.submit(keyed())

    assert first.detail == "payment-outcome-unknown"
    assert (succeeded(again), again.order_id, again.replayed) == (True, ORDER_ID, True)


# --- while the first is still running ---------------------------------------------------------------------------------


def test_a_repeat_waits_for_the_first_and_both_tell_the_same() -> None:
    world = World()

    async def until_the_repeat_has_waited() -> None:
        while len(world.clock.slept_s) < 20:
            await asyncio.sleep(0)

    async def story() -> list[Outcome]:
        world.meanwhile(until_the_repeat_has_waited)
        return list(await asyncio.gather(world.handler(keyed()), world.handler(keyed())))

    first, again = run(story())

    assert again == replace(first, position=None, replayed=True)
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
    payment = world.order(ORDER_ID).payment
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

    assert loser == replace(winners[0], position=None, replayed=True)
    assert len(world.gateway.charges) == 1


def test_of_many_at_once_under_one_key_one_charges_and_all_tell_the_same() -> None:
    world = World()

    async def story() -> list[Outcome]:
        return await asyncio.gather(*(world.handler(keyed()) for _ in range(20)))

    outcomes = run(story())

    assert {(outcome.status, outcome.order_id) for outcome in outcomes} == {("action-successful", ORDER_ID)}
    assert sorted(outcome.replayed for outcome in outcomes) == [False] + [True] * 19
    assert len(world.gateway.charges) == len(world.mailer.sent) == 1

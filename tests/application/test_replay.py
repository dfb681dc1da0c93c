"""A repeat under an idempotency key is answered from the order's current state and never charges."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from application.commands import Outcome
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
from tests.application.stand_ins import APPROVED
from tests.application.world import (
    GIFT100,
    KEYED_ORDER_ID,
    SHOP,
    SPRING10,
    World,
    a_command,
    keyed,
    succeeded,
)
from tests.helpers import run

NO_CODES = GatewayCodes("2", "2", "I00001")


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

    assert again == replace(first, position=again.position, replayed=True)
    assert world.timeline == before
    assert world.clock.slept_s == []


@pytest.mark.parametrize("promotion_code", ["NOPE", None])
def test_a_repeat_of_a_refusal_or_of_a_free_order_gets_that_again(promotion_code: str | None) -> None:
    world = World()
    changes: dict[str, Any] = {"promotion_code": promotion_code} if promotion_code else {"promotion": GIFT100}
    first = world.submit(keyed(**changes))

    again = world.submit(keyed(**changes))

    assert again == replace(first, position=again.position, replayed=True)


def test_a_repeat_of_a_duplicate_shows_the_earlier_order_and_what_is_left_to_wait() -> None:
    world = World()
    earlier = world.submit(a_command())
    world.clock.advance(20)
    first = world.submit(keyed())
    world.clock.advance(30)

    again = world.submit(keyed())

    assert (first.status, first.order_id, first.retry_after_seconds) == ("duplicate-payment", earlier.order_id, 100)
    assert again == replace(first, retry_after_seconds=70, position=again.position, replayed=True)


def test_a_failed_email_is_replayed_until_the_outbox_has_sent_it() -> None:
    world = World()
    world.mailer.endings["orders@ada.example.com"] = ("failed", "slug")
    first = world.submit(keyed())

    assert first.status == "mandrill-email-failed"
    again = world.submit(keyed())
    assert again == replace(first, position=again.position, replayed=True)


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
    assert World().submit(keyed()).order_id == KEYED_ORDER_ID


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
    run(world.adopt(KEYED_ORDER_ID, "60001"))

    again = world.submit(keyed())

    assert first.detail == "payment-outcome-unknown"
    assert (succeeded(again), again.order_id, again.replayed) == (True, KEYED_ORDER_ID, True)

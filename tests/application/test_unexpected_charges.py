"""An order that has ended never comes back: a charge that turns up for it is taken back, intent first."""

from __future__ import annotations

from uuid import UUID

import pytest

from application.commands import Outcome
from application.ports import (
    Approved,
    CorrectionOutcome,
    Declined,
    GatewayCodes,
    LookupFailed,
    NotSent,
    OutcomeUnknown,
    PartiallyApproved,
    Rejected,
)
from domain.order_events import OrderState
from tests.application.stand_ins import APPROVED, NOW, unavailable, written
from tests.application.world import INTENT, SPRING10, World, a_command, succeeded

ORDER_ID = UUID(int=1)
VOID_REQUESTED = ("order.void-requested", "notification.raised")
VOIDING = ("gateway.details", "gateway.void", "gateway.details")
NO_AND_VOID = ("order.payment-declined", "order.void-requested", "duplicate-window.closed")
DECLINED = Declined("declined-payment", GatewayCodes("2", "2", "I00001"), "60001")
PARTLY = PartiallyApproved("60001", GatewayCodes("4", "295", "I00001"))


def expired_meanwhile(world: World) -> Outcome:
    """Recovery found nothing and expired the order while its charge was under way."""
    world.meanwhile(lambda: world.expire(ORDER_ID))
    return world.submit(a_command(promotion=SPRING10))


def test_an_approval_for_an_order_that_has_expired_is_voided_and_believed_when_the_details_show_it() -> None:
    world = World()
    world.gateway_knows("60001")

    expired_meanwhile(world)

    assert world.timeline[3:] == [VOID_REQUESTED, *VOIDING, ("order.payment-voided",)]


def test_the_answer_to_it_is_that_the_payment_expired() -> None:
    world = World()
    world.gateway_knows("60001")

    answer = expired_meanwhile(world)

    assert (answer.status, answer.detail) == ("external-application-error", "payment-expired")
    assert world.order(answer.order_id).state is OrderState.PAYMENT_EXPIRED
    assert world.mailer.sent == []


def test_somebody_is_notified_of_it() -> None:
    world = World()
    world.gateway_knows("60001")

    expired_meanwhile(world)

    assert world.notifications() == [("unexpected-charge", ORDER_ID)]


def test_it_touches_neither_the_promotion_nor_the_window_that_another_order_holds_by_now() -> None:
    world = World()
    world.gateway_knows("60001")
    others: list[Outcome] = []

    async def expired_and_tried_again() -> None:
        await world.expire(ORDER_ID)
        others.append(await world.handler(a_command(promotion=SPRING10)))

    world.meanwhile(expired_and_tried_again)
    world.gateway.outcomes.append(Approved("60002", "000124", APPROVED))
    world.gateway.outcomes.append(Approved("60001", "000123", APPROVED))

    answer = world.submit(a_command(promotion=SPRING10))

    assert succeeded(others[0])
    assert world.taken_back(answer.order_id) == {"60001": "voided"}
    assert world.redemption().held_by == others[0].order_id
    assert world.redemption().redeemed
    assert world.window_of(ORDER_ID).order_id == others[0].order_id


@pytest.mark.parametrize("void_answer", [None, OutcomeUnknown("time-out"), NotSent("dns"), Rejected(GatewayCodes())])
def test_a_void_that_the_details_do_not_show_is_left_to_recovery(void_answer: CorrectionOutcome | None) -> None:
    world = World()
    world.gateway_knows("60001")
    world.gateway.voids = False
    world.gateway.void_answer = void_answer

    expired_meanwhile(world)

    assert world.stored[2] == VOID_REQUESTED
    assert world.calls.count("gateway.void") == 1
    assert world.taken_back(ORDER_ID) == {"60001": "void-requested"}


def test_a_void_whose_details_cannot_be_read_is_left_to_recovery() -> None:
    world = World()
    world.gateway.lookup_failure = LookupFailed("time-out")

    expired_meanwhile(world)

    assert world.taken_back(ORDER_ID) == {"60001": "void-requested"}


def test_no_void_is_sent_where_its_intent_could_not_be_stored() -> None:
    world = World()
    world.stores(written, written, *[unavailable] * 6)

    answer = expired_meanwhile(world)

    assert answer.status == "application-crash"
    assert "gateway.void" not in world.calls


@pytest.mark.parametrize("outcome", [DECLINED, OutcomeUnknown("time-out"), NotSent("dns")])
def test_a_no_for_an_order_that_has_expired_records_nothing(outcome: Declined | OutcomeUnknown | NotSent) -> None:
    world = World()
    world.gateway.outcomes.append(outcome)

    answer = expired_meanwhile(world)

    assert answer.detail == "payment-expired"
    assert world.calls == ["gateway.charge"]
    assert world.events_of(ORDER_ID)[-1] == "PaymentExpired"
    assert len(world.stored) == 2


def test_an_approval_that_recovery_has_adopted_already_is_not_stored_twice() -> None:
    world = World()
    world.meanwhile(lambda: world.adopt(ORDER_ID, "60001"))

    answer = world.submit(a_command())

    assert succeeded(answer)
    assert world.events_of(ORDER_ID) == ["Requested", "PaymentAttempted", "PaymentCharged", "Submitted", "EmailSent"]
    blocked_until = world.window_of(ORDER_ID).blocked_until
    assert blocked_until is not None
    assert (blocked_until - NOW).total_seconds() == 86_400


def test_another_approval_than_the_one_that_was_adopted_is_voided_and_the_order_stays_submitted() -> None:
    world = World()
    world.gateway_knows("60001")
    world.meanwhile(lambda: world.adopt(ORDER_ID, "60009"))

    answer = world.submit(a_command())

    order = world.order(answer.order_id)
    assert succeeded(answer)
    assert world.taken_back(order.id) == {"60001": "voided"}
    assert order.state is OrderState.SUBMITTED
    assert order.payment is not None
    assert order.payment.transaction_id == "60009"


@pytest.mark.parametrize("expired", [False, True])
def test_a_partial_approval_is_voided_intent_first(expired: bool) -> None:
    world = World()
    world.gateway_knows("60001", amount_cents=123)
    world.gateway.outcomes.append(PARTLY)
    if expired:
        world.meanwhile(lambda: world.expire(ORDER_ID))

    answer = world.submit(a_command())

    requested = ("order.void-requested",) if expired else NO_AND_VOID
    assert world.timeline[-5:] == [requested, *VOIDING, ("order.payment-voided",)]
    assert answer.status == ("external-application-error" if expired else "failed-payment")
    assert world.stored[0] == INTENT

"""The three commits and the one send."""

from __future__ import annotations

import pytest

from application.ports import PaymentMethodRecord
from domain.order_events import OrderState
from tests.application.stand_ins import (
    NOW,
    Step,
    Write,
    conflict,
)
from tests.application.world import CARD, GIFT100, INTENT, PAID, REFUSED, SPRING10, World, a_command, succeeded
from tests.helpers import run


def taking(world: World, seconds: float) -> Step:
    """An insert that takes that long."""

    async def step(write: Write) -> int:
        position = await write()
        world.clock.advance(seconds)
        return position

    return step


def test_a_paid_order_is_three_commits_and_one_send_in_this_order() -> None:
    world = World()

    answer = world.submit(a_command())

    assert succeeded(answer)
    assert world.timeline == [INTENT, "gateway.charge", PAID, "mailer.send", ("order.email-sent",)]
    assert answer.position == world.position()


def test_it_is_told_when_the_intent_is_stored_and_before_the_charge_is_sent() -> None:
    world = World()

    run(world.handler(a_command(), lambda: world.timeline.append("told")))

    assert world.timeline[:3] == [INTENT, "told", "gateway.charge"]


def test_with_a_promotion_its_reservation_and_its_redemption_are_in_the_same_commits() -> None:
    world = World()

    world.submit(a_command(promotion=SPRING10))

    assert world.stored == [
        ("order.requested", "order.promotion-applied", *INTENT[1:], "promotion-redemption.reserved"),
        (*PAID, "promotion-redemption.redeemed"),
        ("order.email-sent",),
    ]


def test_the_charge_is_for_the_discounted_total_on_the_stored_card_under_the_orders_invoice() -> None:
    world = World()

    answer = world.submit(a_command(promotion=SPRING10))

    (charge,) = world.gateway.charges
    payment = world.order(answer.order_id).payment
    assert payment is not None
    assert (charge.amount_cents, payment.amount_cents) == (16_650, 16_650)
    assert charge.invoice_number == payment.invoice_number
    assert (charge.customer_profile_id, charge.payment_profile_id) == (
        CARD.customer_profile_id,
        CARD.payment_profile_id,
    )


@pytest.mark.parametrize("card", [None, CARD])
def test_nothing_to_pay_is_one_commit_that_needs_no_card_and_calls_no_gateway(card: PaymentMethodRecord | None) -> None:
    world = World()

    answer = world.submit(a_command(promotion=GIFT100, payment_method=card))

    assert succeeded(answer)
    assert world.timeline == [
        (
            "order.requested",
            "order.promotion-applied",
            "order.payment-waived",
            "order.submitted",
            "duplicate-window.opened",
            "duplicate-window.closed",
            "promotion-redemption.reserved",
            "promotion-redemption.redeemed",
        ),
        "mailer.send",
        ("order.email-sent",),
    ]


def test_a_refusal_is_one_commit_and_calls_nobody() -> None:
    world = World()

    answer = world.submit(a_command(promotion_code="NOPE"))

    assert (answer.status, answer.param) == ("invalid-promotion", "promotion_code")
    assert world.timeline == [REFUSED]
    assert answer.position == world.position()


# --- the guard before the charge --------------------------------------------------------------------------------------


def test_no_charge_is_sent_more_than_five_seconds_after_the_clock_was_read_before_the_intent() -> None:
    world = World()
    world.stores(taking(world, 5.1))

    answer = world.submit(a_command())

    assert (answer.status, answer.detail) == ("external-application-error", "not-sent-in-time")
    assert world.timeline == [INTENT, ("order.payment-not-sent", "duplicate-window.closed")]
    assert world.order(answer.order_id).state is OrderState.PAYMENT_FAILED


def test_a_charge_that_was_not_sent_in_time_may_be_tried_again_at_once() -> None:
    world = World()
    world.stores(taking(world, 5.1))
    world.submit(a_command(promotion=SPRING10))

    assert succeeded(world.submit(a_command(promotion=SPRING10)))
    assert len(world.gateway.charges) == 1


def test_five_seconds_are_not_too_late() -> None:
    world = World()
    world.stores(taking(world, 5.0))

    assert succeeded(world.submit(a_command()))


def test_after_a_lost_race_the_five_seconds_count_from_the_next_reading_of_the_clock() -> None:
    world = World()

    async def lost_after_a_while(write: Write) -> int:
        world.clock.advance(4)
        return await conflict(write)

    world.stores(lost_after_a_while, taking(world, 4))

    assert succeeded(world.submit(a_command()))


# --- what is stored of it ---------------------------------------------------------------------------------------------


def test_every_event_says_when_by_whom_and_for_which_request_it_was_recorded() -> None:
    world = World()
    command = a_command()

    answer = world.submit(command)

    history = world.history(answer.order_id)
    assert {event.actor for event in history} == {"user:1"}
    assert {event.correlation_id for event in history} == {command.request_id}
    assert {event.timestamp for event in history} == {NOW}
    assert history[0].causation_id == command.request_id
    assert history[2].causation_id == f"{answer.order_id}/2"

"""What each outcome at the gateway becomes: answer, events, promotion, window, notification and mail."""

from __future__ import annotations

import pytest

from application.ports import (
    LookupFailed,
    TransactionState,
)
from domain.order import Order
from domain.payment import FoundBy
from domain.policy import Policy
from tests.application.outcome_table import (
    DISCOUNTED_CENTS,
    FREE,
    FREE_WINDOW,
    OPEN_WINDOW,
    PAID_WINDOW,
    REDEEMED,
    ROWS,
    Row,
)
from tests.application.stand_ins import APPROVED, NOW
from tests.application.world import OTHER_CARD, SPRING10, World, a_command, succeeded

every_row = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
every_definite_no = pytest.mark.parametrize(
    "row", [row for row in ROWS.values() if row.window == FREE_WINDOW], ids=lambda row: row.status
)
every_open_outcome = pytest.mark.parametrize(
    "row", [row for row in ROWS.values() if row.window == OPEN_WINDOW], ids=lambda row: row.payment
)


def given(row: Row) -> World:
    world = World()
    world.gateway.outcomes.append(row.outcome)
    if isinstance(row.found, LookupFailed):
        world.gateway.lookup_failure = row.found
    elif row.found is not None:
        world.gateway_knows("60001", state=row.found, amount_cents=DISCOUNTED_CENTS)
    return world


@every_row
def test_the_answer_says_how_it_ended_and_shows_the_order(row: Row) -> None:
    world = given(row)

    answer = world.submit(a_command(promotion=SPRING10))

    order = world.order(answer.order_id)
    assert (answer.status, answer.detail) == (row.status, row.detail)
    assert order.payment is not None
    assert (order.state, order.payment.state) == (row.state, row.payment)
    assert len(world.gateway.charges) == 1


@every_row
def test_the_outcome_is_stored_in_one_commit_with_what_follows_from_it(row: Row) -> None:
    world = given(row)

    world.submit(a_command(promotion=SPRING10))

    assert world.stored[1] == row.events


@every_row
def test_the_promotion_is_redeemed_with_a_yes_released_with_a_no_and_stays_reserved_else(row: Row) -> None:
    world = given(row)

    answer = world.submit(a_command(promotion=SPRING10))

    redemption = world.redemption()
    assert redemption.redeemed == (row.promotion == REDEEMED)
    assert redemption.held_by == (None if row.promotion == FREE else answer.order_id)


@every_row
def test_the_window_blocks_after_a_yes_and_while_the_outcome_is_open(row: Row) -> None:
    world = given(row)

    window = world.window_of(world.submit(a_command(promotion=SPRING10)).order_id)

    blocked_s = (window.blocked_until - NOW).total_seconds() if window.blocked_until else None
    expected = {PAID_WINDOW: (False, 120), OPEN_WINDOW: (True, None), FREE_WINDOW: (False, 0)}
    assert (window.is_open, blocked_s) == expected[row.window]


@every_row
def test_a_notification_is_raised_where_somebody_has_to_act(row: Row) -> None:
    world = given(row)

    answer = world.submit(a_command(promotion=SPRING10))

    assert world.notifications() == ([(row.notification, answer.order_id)] if row.notification else [])


@every_row
def test_mail_is_sent_for_a_submitted_order_only(row: Row) -> None:
    world = given(row)

    world.submit(a_command(promotion=SPRING10))

    assert len(world.mailer.sent) == (1 if row.state == "submitted" else 0)


@every_row
def test_the_answer_carries_the_gateways_codes_unless_it_is_a_success(row: Row) -> None:
    world = given(row)

    answer = world.submit(a_command(promotion=SPRING10))

    told_by_lookup = row.found is TransactionState.HELD
    codes = APPROVED if told_by_lookup else getattr(row.outcome, "codes", None)
    assert answer.gateway == (None if row.state == "submitted" else codes)


def test_a_charge_that_a_lookup_found_is_stored_as_found_by_lookup() -> None:
    world = given(ROWS["duplicate, charge found"])

    answer = world.submit(a_command(promotion=SPRING10))

    (charged,) = [event for event in world.history(answer.order_id) if isinstance(event, Order.PaymentCharged)]
    assert charged.found_by is FoundBy.LOOKUP


@every_definite_no
def test_after_a_definite_no_the_same_thing_may_be_tried_again_at_once_with_another_card(row: Row) -> None:
    world = given(row)
    world.submit(a_command(promotion=SPRING10))

    again = world.submit(a_command(promotion=SPRING10, payment_method=OTHER_CARD))

    assert succeeded(again)
    assert world.redemption().redeemed


@every_open_outcome
def test_while_an_outcome_is_open_the_same_thing_is_a_duplicate_whatever_card_or_price(row: Row) -> None:
    world = given(row)
    first = world.submit(a_command(promotion=SPRING10))
    world.clock.advance(60)

    again = world.submit(a_command(payment_method=OTHER_CARD))

    still_open_s = Policy().held_expiry_s if row.payment == "held" else Policy().payment_expiry_s
    assert (again.status, again.order_id) == ("duplicate-payment", first.order_id)
    assert again.retry_after_seconds == still_open_s - 60
    assert len(world.gateway.charges) == 1

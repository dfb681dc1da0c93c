"""The decision to accept an order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain import refusals
from domain.promotion import PromotionTerms
from tests.domain.examples import (
    CARD,
    EVERYTHING_OFF,
    NOW,
    PHOTOS,
    SPRING10,
    TWILIGHT,
    after,
    all_names,
    charged,
    declined,
    fresh,
    metadata,
    names,
    submission,
    submitted,
)


def test_an_order_with_a_promotion_reserves_it_opens_the_window_and_attempts_the_discounted_total() -> None:
    guards = submitted(submission(PHOTOS, promotion=SPRING10), fresh())

    assert guards.order.payment is not None
    assert guards.order.payment.amount_cents == 16_650
    assert all_names(guards) == ["Requested", "PromotionApplied", "PaymentAttempted", "Reserved", "Opened"]


def test_an_order_without_a_promotion_touches_no_redemption() -> None:
    guards = submitted(submission(PHOTOS, TWILIGHT), fresh(with_redemption=False))

    assert guards.order.total_cents == 31_000
    assert all_names(guards) == ["Requested", "PaymentAttempted", "Opened"]


def test_a_zero_total_is_submitted_in_one_decision_without_a_card() -> None:
    guards = submitted(submission(PHOTOS, promotion=EVERYTHING_OFF, card=None), fresh())

    assert names(guards.order) == ["Requested", "PromotionApplied", "PaymentWaived", "Submitted"]
    assert names(guards.redemption) == ["Reserved", "Redeemed"]
    assert names(guards.window) == ["Opened", "Closed"]


def test_a_zero_total_asks_nothing_of_an_expired_card() -> None:
    expired = replace(CARD, exp_year=2020)

    guards = submitted(submission(PHOTOS, promotion=EVERYTHING_OFF, card=expired), fresh())

    assert guards.order.state == "submitted"


@pytest.mark.parametrize(
    ("terms", "rule"),
    [
        (None, "unknown-code"),
        (replace(SPRING10, active=False), "inactive"),
        (replace(SPRING10, starts_at=NOW + timedelta(microseconds=1)), "not-started"),
        (replace(SPRING10, ends_at=NOW), "ended"),
        (replace(SPRING10, designation="staff"), "other-designation"),
    ],
)
def test_a_promotion_that_does_not_hold_is_refused_with_its_rule(terms: PromotionTerms | None, rule: str) -> None:
    guards = submitted(submission(promotion=terms, promotion_asked=True), fresh(with_redemption=terms is not None))

    assert guards.order.refused is not None
    assert (guards.order.refused.status, guards.order.refused.rule) == ("invalid-promotion", rule)
    assert all_names(guards) == ["Requested", "Refused"]


def test_a_promotion_holds_from_its_first_instant_to_just_before_its_end() -> None:
    terms = replace(SPRING10, starts_at=NOW, ends_at=NOW + timedelta(microseconds=1))

    assert submitted(submission(promotion=terms), fresh()).order.refused is None


def test_a_promotion_for_a_designation_refuses_an_application_acting_as_itself() -> None:
    terms = replace(SPRING10, designation="agent")

    guards = submitted(submission(promotion=terms, role="application", designation="agent"), fresh())

    assert guards.order.refused is not None
    assert guards.order.refused.rule == "application-has-no-designation"


def test_the_same_thing_is_refused_while_the_first_payment_is_open_and_names_the_earlier_order() -> None:
    first = submitted(submission(), fresh(1))

    second = submitted(submission(), fresh(2, like=first))

    assert second.order.refused is not None
    assert second.order.refused.status == "duplicate-payment"
    assert second.order.refused.earlier_order_id == first.order.id


@pytest.mark.parametrize(("seconds", "refused"), [(1.5, True), (120.9, True), (121.0, False)])
def test_after_a_yes_the_same_thing_waits_two_minutes(seconds: float, refused: bool) -> None:
    first = charged(submitted(submission(), fresh(1)), after(1))

    second = submitted(submission(), fresh(2, like=first), after(seconds))

    assert (second.order.refused is not None) is refused


def test_after_a_decline_the_same_thing_may_be_tried_again_at_once() -> None:
    first = declined(submitted(submission(promotion=SPRING10), fresh(1)))

    second = submitted(submission(promotion=SPRING10), fresh(2, like=first), after(1))

    assert second.order.refused is None


def test_a_promotion_held_by_another_order_is_expended_and_one_that_was_used_stays_so() -> None:
    first = submitted(submission(promotion=SPRING10), fresh(1))
    elsewhere = replace(fresh(2), redemption=first.redemption)
    held = submitted(submission(promotion=SPRING10), elsewhere)
    charged(first)
    later = replace(fresh(3), redemption=first.redemption)
    used = submitted(submission(promotion=SPRING10), later, after(10_000))

    assert held.order.refused is not None
    assert held.order.refused.rule == "held-by-another-order"
    assert used.order.refused is not None
    assert used.order.refused.rule == "already-redeemed"
    assert used.order.refused.status == "promotion-expended"


@pytest.mark.parametrize(("month", "refused"), [(10, True), (11, False)])
def test_a_card_can_be_used_until_the_last_day_of_its_month(month: int, refused: bool) -> None:
    card = replace(CARD, exp_month=month, exp_year=2026)

    guards = submitted(submission(card=card), fresh(), metadata(NOW.replace(day=30, hour=23, minute=59)))

    assert (guards.order.refused is not None) is refused


def test_refusals_are_asked_in_the_order_of_precedence() -> None:
    paid = charged(submitted(submission(promotion=SPRING10), fresh(1)))
    expired = replace(CARD, exp_year=2020)
    inactive = replace(SPRING10, active=False)

    everything = submitted(submission(promotion=inactive, card=expired), fresh(2, like=paid))
    two = submitted(submission(promotion=SPRING10, card=expired), fresh(3, like=paid))
    three = submitted(submission(promotion=SPRING10, card=expired), replace(fresh(4), redemption=paid.redemption))
    four = submitted(submission(card=expired), fresh(5))

    asked = [guards.order.refused.status for guards in (everything, two, three, four) if guards.order.refused]
    assert asked == [refusal.status for refusal in refusals.PRECEDENCE]

"""Prices and discounts, in integer cents."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from domain.money import percent_half_up, spread
from domain.pricing import Line, discounts_cents
from domain.promotion import PromotionTerms
from tests.domain.examples import PHOTOS, PROMOTION_ID, SPRING10, TWILIGHT

prices = st.lists(st.integers(0, 10_000_000), min_size=1, max_size=8)


def lines_at(amounts: list[int]) -> tuple[Line, ...]:
    return tuple(replace(PHOTOS, base_price_cents=amount) for amount in amounts)


def test_a_percentage_rounds_halves_up_per_line() -> None:
    assert percent_half_up(5, 10) == 1
    assert percent_half_up(4, 10) == 0
    assert discounts_cents((PHOTOS, TWILIGHT), SPRING10) == (1_850, 1_250)


def test_a_fixed_amount_is_spread_in_proportion_largest_remainder_first_and_ties_in_line_order() -> None:
    assert spread(100, [1, 1, 1]) == (34, 33, 33)
    assert spread(2_500, [18_500, 12_500]) == (1_492, 1_008)
    assert spread(2, [1, 1, 1]) == (1, 1, 0)


def test_a_fixed_amount_above_the_subtotal_makes_the_order_free_and_never_negative() -> None:
    terms = PromotionTerms(PROMOTION_ID, 1, "BIG", amount_off_cents=10**9)

    assert discounts_cents((PHOTOS, TWILIGHT), terms) == (18_500, 12_500)


@given(prices, st.integers(1, 100))
def test_a_percentage_is_within_half_a_cent_of_exact_and_never_above_the_price(
    amounts: list[int], percent: int
) -> None:
    terms = PromotionTerms(PROMOTION_ID, 1, "P", percent_off=percent)

    for amount, discount in zip(amounts, discounts_cents(lines_at(amounts), terms), strict=True):
        assert abs(Fraction(amount * percent, 100) - discount) <= Fraction(1, 2)
        assert 0 <= discount <= amount


@given(prices, st.integers(1, 20_000_000))
def test_a_fixed_amount_is_given_exactly_and_no_line_gets_more_than_its_price(amounts: list[int], off: int) -> None:
    terms = PromotionTerms(PROMOTION_ID, 1, "F", amount_off_cents=off)

    discounts = discounts_cents(lines_at(amounts), terms)

    assert sum(discounts) == min(off, sum(amounts))
    assert all(0 <= discount <= amount for discount, amount in zip(discounts, amounts, strict=True))

"""What an order costs: its lines at catalog prices, less the promotion's discount."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.money import percent_half_up, spread
from domain.promotion import PromotionTerms

CURRENCY = "USD"


@dataclass(frozen=True)
class Line:
    """One ordered service. The base price is the catalog's price for exactly this quantity."""

    slug: str
    name: str
    kind: str  # primary | add_on
    group_id: int | None
    quantity: int
    base_price_cents: int


def subtotal_cents(lines: Sequence[Line]) -> int:
    """The sum of the base prices."""
    return sum(line.base_price_cents for line in lines)


def discounts_cents(lines: Sequence[Line], terms: PromotionTerms | None) -> tuple[int, ...]:
    """The discount of each line, never more than its price, so that no total is negative.

    A percentage rounds half up per line; a fixed amount is spread over the lines in proportion to their prices.
    """
    prices = [line.base_price_cents for line in lines]
    if terms is None:
        return tuple(0 for _ in prices)
    if terms.percent_off is not None:
        return tuple(percent_half_up(price, terms.percent_off) for price in prices)
    assert terms.amount_off_cents is not None, "terms have a percentage or an amount"
    return spread(min(terms.amount_off_cents, sum(prices)), prices)

"""Money is an integer number of cents. No float comes near it."""

from __future__ import annotations

from collections.abc import Sequence


def percent_half_up(amount_cents: int, percent: int) -> int:
    """`percent` of a non-negative amount, halves rounded up."""
    return (amount_cents * percent + 50) // 100


def spread(total_cents: int, weights_cents: Sequence[int]) -> tuple[int, ...]:
    """Spread a total over weights in proportion: largest remainder first, ties in order (Hamilton's method).

    The parts sum to the total exactly, and no part exceeds its weight while the total does not exceed their sum.
    """
    whole = sum(weights_cents)
    if whole == 0:
        return tuple(0 for _ in weights_cents)
    if len(weights_cents) == 1:
        return (total_cents,)  # as most orders are
    parts = [total_cents * weight // whole for weight in weights_cents]
    by_remainder = sorted(range(len(parts)), key=lambda i: (-(total_cents * weights_cents[i] % whole), i))
    for i in by_remainder[: total_cents - sum(parts)]:
        parts[i] += 1
    return tuple(parts)

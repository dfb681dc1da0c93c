"""Which month of the books an entry belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple


class ClosedMonth(NamedTuple):
    """A month whose books are final."""

    month: str
    cut_off_position: int  # of the last event of the log that its books were made from


def closed_before(closed: Sequence[ClosedMonth], position: int) -> str | None:
    """The last month that was closed without the event at that position."""
    for each in reversed(closed):
        if each.cut_off_position < position:
            return each.month
    return None


def month_of(at: datetime) -> str:
    """The month of a UTC time, as 2026-10."""
    return at.date().isoformat()[:7]


def period_of(recorded_at: datetime, closed_through: str | None = None) -> str:
    """The month (UTC) in which an event was recorded, or, once that month is closed, the first one that is open.

    `closed_through`: the last closed month. What was booked is never moved: an entry that comes too late for its month
    is booked in the next.
    """
    month = month_of(recorded_at)
    return month if closed_through is None or month > closed_through else next_month(closed_through)


def next_month(month: str) -> str:
    """2026-12 → 2027-01"""
    year, number = int(month[:4]), int(month[5:])
    return f"{year + number // 12:04}-{number % 12 + 1:02}"

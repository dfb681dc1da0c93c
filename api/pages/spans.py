"""The range picker: which days a report shows, and how they are drawn together into weeks or months."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

from projections.paging import Span

MAX_DAYS = 1096  # three years
USUAL_DAYS = 30
DAY, WEEK, MONTH = "day", "week", "month"
PERIODS = (DAY, WEEK, MONTH)
_DAILY, _WEEKLY = 62, 400  # up to so many days are shown by day, by week


class WrongRange(ValueError):
    """The range cannot be shown; the text says why and repeats nothing of what was sent."""


@dataclass(frozen=True)
class Range:
    """Whole days (UTC), the last one included, in periods of `per`: a day, a week from Monday on, or a month."""

    first: date
    last: date
    per: str
    chosen_per: str = ""  # as the URL says; empty: by the length of the range

    @property
    def span(self) -> Span:
        """As the read models take it."""
        end = datetime.combine(self.last, time(), UTC) + timedelta(days=1)
        return Span(datetime.combine(self.first, time(), UTC), end)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def period_of(self, day: date) -> date:
        """The first day of the period that a day lies in; the first period may begin before the range."""
        if self.per == WEEK:
            return day - timedelta(days=day.weekday())
        return day.replace(day=1) if self.per == MONTH else day

    def periods(self) -> list[date]:
        """All periods of the range, also those in which nothing happened."""
        days = (self.first + timedelta(days=number) for number in range(self.days))
        return list(dict.fromkeys(self.period_of(day) for day in days))

    def days_of(self, period: date) -> tuple[date, date]:
        """The first and the last day of a period that lie in the range."""
        end = {DAY: 1, WEEK: 7, MONTH: monthrange(period.year, period.month)[1]}[self.per]
        return max(period, self.first), min(period + timedelta(days=end - 1), self.last)

    def label(self, period: date) -> str:
        """A period on an axis."""
        return f"{period:%b} {period.year}" if self.per == MONTH else f"{period.day} {period:%b}"

    def query(self, **more: str) -> str:
        """The range as URL parameters."""
        chosen = {"per": self.chosen_per} if self.chosen_per else {}
        return urlencode({"from": self.first.isoformat(), "to": self.last.isoformat(), **chosen, **more})


def range_of(params: Mapping[str, str], today: date) -> Range:
    """The range that the URL asks for; without one, the last thirty days. Raises WrongRange."""
    last = _day(params.get("to"), today)
    first = _day(params.get("from"), last - timedelta(days=USUAL_DAYS - 1))
    if first > last:
        raise WrongRange("the range ends before it begins")
    if (last - first).days >= MAX_DAYS:
        raise WrongRange(f"a range has at most {MAX_DAYS:,} days")
    chosen = params.get("per", "")
    if chosen not in (*PERIODS, ""):
        raise WrongRange("figures are shown per day, week or month")
    length = (last - first).days + 1
    if chosen == DAY and length > _WEEKLY:
        raise WrongRange(f"days are shown for a range of at most {_WEEKLY} days: choose weeks or months")
    return Range(first, last, chosen or (DAY if length <= _DAILY else WEEK if length <= _WEEKLY else MONTH), chosen)


def presets(today: date) -> Iterator[tuple[str, Range]]:
    """Ranges that people ask for every day."""
    for days in (7, 30, 90):
        yield f"{days} days", range_of({"from": str(today - timedelta(days=days - 1)), "to": str(today)}, today)
    month = today.replace(day=1)
    before = month - timedelta(days=1)
    yield "This month", range_of({"from": str(month), "to": str(today)}, today)
    yield "Last month", range_of({"from": str(before.replace(day=1)), "to": str(before)}, today)
    yield "This year", range_of({"from": str(today.replace(month=1, day=1)), "to": str(today)}, today)


def _day(text: str | None, otherwise: date) -> date:
    if not text:
        return otherwise
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise WrongRange("a day is written as 2026-11-23") from None
    if not 1900 <= day.year <= 9998:
        raise WrongRange("a day is written as 2026-11-23")
    return day

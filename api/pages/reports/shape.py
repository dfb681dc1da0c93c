"""What a report shows: figures, charts, and one table that is both the page's and the download's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa

from api.pages import formatting
from api.pages.charts import Chart, Unit
from api.pages.spans import Range
from projections.model import ReadModel, Row

MAX_VALUES = 1000  # services, codes, designations, promotions or reasons of one report
CHARTED = 12  # of these in a chart; the table has all

DOLLARS = Unit("US dollars", formatting.money)
ORDERS = Unit("orders", formatting.count)


@dataclass(frozen=True)
class Column:
    """One column: its name in the download, its heading, and how a cell is written."""

    name: str
    label: str
    kind: str = "text"  # text | count | money | share | day

    @property
    def css(self) -> str:
        return {"text": "", "day": "nowrap"}.get(self.kind, "number")

    def cell(self, value: Any) -> Any:
        """For the page."""
        match self.kind:
            case "money":
                return formatting.money(value)
            case "count":
                return formatting.count(value)
            case "day":
                return formatting.day(value)
            case "share":
                return formatting.percent(*value)
        return formatting.NOTHING if value in (None, "") else value

    def csv(self, value: Any) -> Any:
        """For the download: amounts with two places, shares as percent, no signs or separators."""
        match self.kind:
            case "money":
                return None if value is None else decimal_text(value)
            case "share":
                part, whole = value
                return None if whole == 0 else decimal_text(round(10_000 * part / whole))
        return value


def decimal_text(cents: int) -> str:
    """`-1234.50`: exact, and a number for every spreadsheet."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}.{rest:02}"


@dataclass(frozen=True)
class Figure:
    """A headline: a value as it is read, and what it is."""

    value: str
    name: str
    note: str = ""


@dataclass(frozen=True)
class Shown:
    """One report over one range."""

    figures: Sequence[Figure]
    charts: Sequence[Chart]
    columns: Sequence[Column]
    rows: Sequence[Row]
    caption: str
    empty: bool = False  # nothing happened in the range
    note: str = ""


@dataclass(frozen=True)
class Report:
    """A report of the console. `read` runs in one read transaction of the model."""

    slug: str
    label: str
    title: str
    about: str
    model: ReadModel
    read: Callable[[sa.Connection, Range], Shown]
    by_period: bool = False  # whether it is drawn over time, and so takes day, week or month
    links: Mapping[str, Callable[[Row, Range], str]] = field(default_factory=dict)  # column → where a cell leads


def by_period(rows: Sequence[Row], range_: Range, names: Sequence[str]) -> list[Row]:
    """The sums of each period of the range, also of those without any row. A row has its `day`."""
    sums: dict[date, Row] = {period: dict.fromkeys(names, 0) for period in range_.periods()}
    for row in rows:
        period = sums[range_.period_of(row["day"])]
        for name in names:
            period[name] += row[name]
    return [{"period": period, **values} for period, values in sums.items()]


def cut(rows: list[Row]) -> tuple[list[Row], str]:
    """The rows that are shown, and a note where there are more."""
    if len(rows) <= MAX_VALUES:
        return rows, ""
    return rows[:MAX_VALUES], f"Only the first {MAX_VALUES:,} are shown: choose a shorter range."

"""Revenue: what was charged and what was given back, over time and by service, promotion and designation."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from api.pages import formatting
from api.pages.charts import Look, Series, bar_chart, column_chart
from api.pages.reports.shape import CHARTED, DOLLARS, MAX_VALUES, Column, Figure, Report, Shown, by_period, cut
from api.pages.spans import MAX_DAYS, Range
from api.read_models import REVENUE
from projections.model import Row
from projections.paging import Page
from projections.revenue import AMOUNTS, DESIGNATION, PROMOTION, SERVICE, revenue_by, revenue_by_day

_COLUMNS = (
    Column("charges", "Charges", "count"),
    Column("charged", "Charged", "money"),
    Column("returns", "Returns", "count"),
    Column("returned", "Returned", "money"),
    Column("net", "Net", "money"),
)
_NAMES = {SERVICE: "Service", PROMOTION: "Promotion", DESIGNATION: "Designation"}
_NONE = {SERVICE: "no service", PROMOTION: "no promotion", DESIGNATION: "no designation"}


def _over_time(connection: sa.Connection, range_: Range) -> Shown:
    found = revenue_by_day(connection, range_.span, Page(MAX_DAYS))
    rows = [_with_names(row) for row in by_period(found, range_, AMOUNTS)]
    chart = column_chart(
        "revenue",
        f"Revenue by {range_.per}, {range_.first} to {range_.last}",
        [range_.label(row["period"]) for row in rows],
        [
            Series("Charged", [row["charged"] for row in rows]),
            Series("Returned", [-row["returned"] for row in rows], Look.HATCHED),
        ],
        DOLLARS,
    )
    columns = (Column("period", range_.per.capitalize() + (" from" if range_.per != "day" else ""), "day"), *_COLUMNS)
    return Shown(_figures(rows), [chart], columns, rows, f"Revenue by {range_.per}", empty=not found)


def _by(connection: sa.Connection, dimension: str, range_: Range) -> Shown:
    found = revenue_by(connection, dimension, range_.span, Page(MAX_VALUES))
    found, note = cut(found)
    named = [{"value": row[dimension] or _NONE[dimension], **_with_names(row)} for row in found]
    rows = sorted(named, key=lambda row: (-row["net"], row["value"]))
    chart = bar_chart(
        "revenue",
        f"Net revenue by {_NAMES[dimension].lower()}, {range_.first} to {range_.last}",
        [(row["value"], row["net"]) for row in rows[:CHARTED]],
        DOLLARS,
    )
    columns = (Column("value", _NAMES[dimension]), *_COLUMNS)
    caption = f"Revenue by {_NAMES[dimension].lower()}"
    # An order with two services counts for both: only its amounts are divided.
    figures = _figures(rows, with_numbers=dimension != SERVICE)
    return Shown(figures, [chart], columns, rows, caption, empty=not rows, note=note)


def _with_names(row: Row) -> Row:
    charged, returned = row["charged_cents"], row["returned_cents"]
    kept = {name: value for name, value in row.items() if name in ("period", "charges", "returns")}
    return {**kept, "charged": charged, "returned": returned, "net": charged - returned}


def _figures(rows: Sequence[Row], *, with_numbers: bool = True) -> list[Figure]:
    def total(name: str) -> int:
        return sum(row[name] for row in rows)

    def number(name: str, what: str) -> str:
        return f"{formatting.count(total(name))} {what}" if with_numbers else ""

    return [
        Figure(formatting.money(total("charged")), "charged", number("charges", "charges")),
        Figure(formatting.money(total("returned")), "returned", number("returns", "voids and refunds")),
        Figure(formatting.money(total("net")), "net"),
    ]


def _report(dimension: str) -> Report:
    name = _NAMES[dimension]
    return Report(
        f"revenue-by-{dimension}",
        f"By {name.lower()}",
        f"Revenue by {name.lower()}",
        "An amount counts on the day on which it was charged or returned, so the figures of a past day never change.",
        REVENUE,
        lambda connection, range_: _by(connection, dimension, range_),
    )


REVENUE_REPORTS: tuple[Report, ...] = (
    Report(
        "revenue",
        "Revenue",
        "Revenue",
        "Columns go up for what was charged and down for what was voided or refunded, each on the day on which it"
        " happened, so the figures of a past day never change.",
        REVENUE,
        _over_time,
        by_period=True,
    ),
    _report(SERVICE),
    _report(PROMOTION),
    _report(DESIGNATION),
)

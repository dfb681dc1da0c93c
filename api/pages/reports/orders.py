"""Orders on their way: how many of those requested were submitted, why the others ended, and what promotions did."""

from __future__ import annotations

import sqlalchemy as sa

from api.pages import formatting
from api.pages.charts import Look, Series, bar_chart, column_chart
from api.pages.rendering import link
from api.pages.reports.shape import (
    CHARTED,
    DOLLARS,
    MAX_VALUES,
    ORDERS,
    Column,
    Figure,
    Report,
    Shown,
    by_period,
    cut,
)
from api.pages.spans import MAX_DAYS, Range
from api.read_models import CONVERSION, PROMOTIONS
from projections.conversion import ENDED_OTHERWISE, STEPS, conversion_by_day, conversion_totals
from projections.model import Row
from projections.paging import Page
from projections.promotions import find_promotions

_ENDINGS = {
    "refused": "Refused by a rule",
    "declined": "Declined by the bank",
    "failed": "Gateway said no",
    "not_sent": "Never sent",
    "expired": "Not found at the gateway",
}
_SHORT = {
    "refused": "Refused",
    "declined": "Declined",
    "failed": "Failed",
    "not_sent": "Never sent",
    "expired": "Not found",
}


def _conversion(connection: sa.Connection, range_: Range) -> Shown:
    found = conversion_by_day(connection, range_.span, Page(MAX_DAYS))
    rows = [_with_sums(row) for row in by_period(found, range_, STEPS)]
    requested, paid, submitted = (sum(row[name] for row in rows) for name in ("requested", "paid", "submitted"))
    over_time = column_chart(
        "conversion",
        f"What became of the orders requested, by {range_.per}",
        [range_.label(row["period"]) for row in rows],
        [
            Series("Submitted", [row["submitted"] for row in rows]),
            Series("Ended otherwise", [row["otherwise"] for row in rows], Look.HATCHED),
            Series("Still open", [row["open"] for row in rows], Look.OUTLINE),
        ],
        ORDERS,
    )
    steps = [("Requested", requested), ("Paid, or nothing to pay", paid), ("Submitted", submitted)]
    columns = (
        Column("period", range_.per.capitalize() + (" from" if range_.per != "day" else ""), "day"),
        Column("requested", "Requested", "count"),
        Column("charged", "Charged", "count"),
        Column("waived", "Free", "count"),
        Column("submitted", "Submitted", "count"),
        Column("share", "Share", "share"),
        *(Column(name, label, "count") for name, label in _SHORT.items()),
        Column("open", "Still open", "count"),
    )
    figures = [
        Figure(formatting.count(requested), "requested"),
        Figure(formatting.count(submitted), "submitted"),
        Figure(formatting.percent(submitted, requested), "of those requested were submitted"),
    ]
    charts = [over_time, bar_chart("funnel", "From request to submission", steps, ORDERS)]
    return Shown(figures, charts, columns, rows, f"Conversion by {range_.per}", empty=not found)


def _orders_of(row: Row, range_: Range) -> str:
    """The orders requested in the period, as far as it lies in the range."""
    first, last = range_.days_of(row["period"])
    return link("/orders", {"from": first, "to": last})


def _with_sums(row: Row) -> Row:
    otherwise = sum(row[name] for name in ENDED_OTHERWISE)
    return {
        **row,
        "paid": row["charged"] + row["waived"],
        "otherwise": otherwise,
        "open": row["requested"] - row["submitted"] - otherwise,
        "share": (row["submitted"], row["requested"]),
    }


def _refusals(connection: sa.Connection, range_: Range) -> Shown:
    found = conversion_totals(connection, range_.span)
    requested = found["totals"]["requested"]
    rows = [
        {
            "ending": _ENDINGS[row["step"]],
            "reason": formatting.words(row["reason"]),
            "status": row["status"],
            "orders": row["orders"],
            "share": (row["orders"], requested),
        }
        for row in found["reasons"]
    ]
    rows, note = cut(sorted(rows, key=lambda row: (-row["orders"], row["status"], row["reason"])))
    chart = bar_chart(
        "refusals",
        f"Orders that were not submitted, by reason, {range_.first} to {range_.last}",
        [(row["reason"], row["orders"]) for row in rows[:CHARTED]],
        ORDERS,
        Look.HATCHED,
    )
    ended = sum(row["orders"] for row in rows)
    figures = [
        Figure(formatting.count(ended), "ended without being submitted"),
        Figure(formatting.percent(ended, requested), f"of {formatting.count(requested)} requested"),
        *(
            Figure(formatting.count(found["totals"][step]), label.lower())
            for step, label in _ENDINGS.items()
            if found["totals"][step]
        ),
    ]
    columns = (
        Column("ending", "How it ended"),
        Column("reason", "Reason"),
        Column("status", "Answer"),
        Column("orders", "Orders", "count"),
        Column("share", "Share of requests", "share"),
    )
    return Shown(figures, [chart], columns, rows, "Reasons", empty=not rows, note=note)


def _promotions(connection: sa.Connection, range_: Range) -> Shown:
    found, note = cut(find_promotions(connection, range_.span, Page(MAX_VALUES)))
    rows = [
        {
            **row,
            "terms": _terms(row),
            "state": "active" if row["active"] else "ended",
            "discount": row["discount_cents"],
            "revenue": row["revenue_cents"],
        }
        for row in found
    ]
    rows.sort(key=lambda row: (-row["redeemed"], row["code"]))
    used = [row for row in rows if row["discount"] or row["revenue"]][:CHARTED]
    charts = [
        bar_chart(
            "cost", "What each promotion cost", [(r["code"], r["discount"]) for r in used], DOLLARS, Look.HATCHED
        ),
        bar_chart("earned", "What the orders that used it paid", [(r["code"], r["revenue"]) for r in used], DOLLARS),
    ]
    figures = [
        Figure(formatting.count(sum(row["redeemed"] for row in rows)), "uses"),
        Figure(formatting.money(sum(row["discount"] for row in rows)), "given away"),
        Figure(formatting.money(sum(row["revenue"] for row in rows)), "paid by the orders that used one"),
    ]
    columns = (
        Column("code", "Code"),
        Column("terms", "Terms"),
        Column("designation", "For"),
        Column("state", "Now"),
        Column("reserved", "Taken", "count"),
        Column("redeemed", "Used", "count"),
        Column("released", "Given back", "count"),
        Column("refused", "Refused", "count"),
        Column("taken_back", "Voided or refunded", "count"),
        Column("discount", "Cost", "money"),
        Column("revenue", "Paid with it", "money"),
    )
    return Shown(figures, charts if used else [], columns, rows, "Promotions", empty=not rows, note=note)


def _terms(row: Row) -> str:
    off = f"{row['percent_off']} % off" if row["percent_off"] else f"{formatting.money(row['amount_off_cents'])} off"
    begins = f" from {formatting.day(row['starts_at'])}" if row["starts_at"] else ""
    return off + begins + (f" until {formatting.day(row['ends_at'])}" if row["ends_at"] else "")


ORDER_REPORTS: tuple[Report, ...] = (
    Report(
        "conversion",
        "Conversion",
        "Conversion",
        "An order counts on the day of its request, whenever its end came.",
        CONVERSION,
        _conversion,
        by_period=True,
        links={"period": _orders_of},
    ),
    Report(
        "refusals",
        "Refusals",
        "Refusals by reason",
        "Orders requested in the range that did not come to be submitted, and why.",
        CONVERSION,
        _refusals,
    ),
    Report(
        "promotions",
        "Promotions",
        "Promotions",
        "Their present terms; use and cost in the range, less the orders that were voided or refunded.",
        PROMOTIONS,
        _promotions,
        links={"code": lambda row, _: link("/orders", promotion=row["code"])},
    ),
)

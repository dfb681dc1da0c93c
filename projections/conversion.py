"""Conversion: of the orders requested on a day (UTC), how many were charged, submitted, refused or lost, and why.

An order counts on the day of its request, whenever its end came, so the steps of one day belong together.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from domain.order import Order
from domain.stream import Stream
from projections.model import GENERATION, Changes, ReadModel, Row
from projections.paging import Page, Span

metadata = sa.MetaData(schema=GENERATION)

# Orders whose end is still to come.
conversion_orders = sa.Table(
    "view_conversion_orders",
    metadata,
    sa.Column("order_id", sa.Uuid, primary_key=True),
    sa.Column("day", sa.Date, nullable=False),
)

conversion = sa.Table(
    "view_conversion",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("step", sa.String(20), primary_key=True),
    sa.Column("status", sa.String(80), primary_key=True),  # of the answer that ended it; empty for the good steps
    sa.Column("reason", sa.String(255), primary_key=True),
    sa.Column("orders", sa.BigInteger, nullable=False),
)

STEPS = ("requested", "charged", "waived", "submitted", "refused", "declined", "failed", "not_sent", "expired")
ENDED_OTHERWISE = ("refused", "declined", "failed", "not_sent", "expired")
LAST_DAY = "last-day-"  # the rule about a card past its date names that date


class Conversion(ReadModel):
    """Keeps `view_conversion`."""

    name = "conversion"
    records = (conversion_orders,)
    sums = (conversion,)
    events = frozenset(
        {
            Order.Requested,
            Order.Refused,
            Order.PaymentCharged,
            Order.PaymentWaived,
            Order.Submitted,
            Order.PaymentDeclined,
            Order.PaymentFailed,
            Order.PaymentNotSent,
            Order.PaymentExpired,
        }
    )

    def fold(self, event: Stream.Event, position: int, changes: Changes) -> None:
        rows, order_id = changes.records[conversion_orders], event.originator_id
        if isinstance(event, Order.Requested):
            rows.put({"order_id": order_id, "day": event.timestamp.date()})
        order = rows.find(order_id)
        if order is None:
            return
        step, status, reason = _step(event)
        changes.sums[conversion][order["day"], step, status, reason]["orders"] += 1
        if step == "submitted" or step in ENDED_OTHERWISE:
            rows.drop(order_id)


def _step(event: Stream.Event) -> tuple[str, str, str]:
    """Step, status of the answer, reason."""
    match event:
        case Order.Requested():
            return "requested", "", ""
        case Order.Refused(status=status, rule=rule):
            return "refused", status, "past-its-last-day" if rule.startswith(LAST_DAY) else rule
        case Order.PaymentCharged():
            return "charged", "", ""
        case Order.PaymentWaived():
            return "waived", "", ""
        case Order.Submitted():
            return "submitted", "", ""
        case Order.PaymentDeclined(status=status, reason=reason):
            return "declined", status, reason
        case Order.PaymentFailed(status=status, reason=reason):
            return "failed", status, reason
        case Order.PaymentNotSent(reason=reason):
            return "not_sent", "external-application-error", reason
        case _:
            return "expired", "external-application-error", "not-found-at-gateway"


def conversion_by_day(connection: sa.Connection, span: Span, page: Page) -> list[Row]:
    """The days of the span on which anything was requested, newest first, with the orders that came to each step; one
    more than the page's limit if there are more. Cursor: `day`."""
    counts = (
        sa.cast(sa.func.coalesce(sa.func.sum(conversion.c.orders).filter(conversion.c.step == step), 0), sa.BigInteger)
        for step in STEPS
    )
    query = sa.select(conversion.c.day, *(count.label(step) for count, step in zip(counts, STEPS, strict=True)))
    query = query.where(*span.of_day(conversion.c.day)).group_by(conversion.c.day)
    if page.after is not None:
        query = query.where(conversion.c.day < page.after[0])
    query = query.order_by(conversion.c.day.desc()).limit(page.limit + 1)
    return [dict(row) for row in connection.execute(query).mappings()]


def conversion_totals(connection: sa.Connection, span: Span) -> dict[str, Any]:
    """Over the whole span: the orders that came to each step, and the reasons of those that ended otherwise."""
    number = sa.cast(sa.func.sum(conversion.c.orders), sa.BigInteger).label("orders")
    keys = (conversion.c.step, conversion.c.status, conversion.c.reason)
    query = sa.select(*keys, number).where(*span.of_day(conversion.c.day)).group_by(*keys).order_by(*keys)
    rows = [dict(row) for row in connection.execute(query).mappings()]
    totals = {step: sum(row["orders"] for row in rows if row["step"] == step) for step in STEPS}
    return {"totals": totals, "reasons": [row for row in rows if row["step"] in ENDED_OTHERWISE]}

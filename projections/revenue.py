"""Revenue in cents: charged, and returned by voids and refunds, by day and by service, promotion and designation.

An amount counts on the day (UTC) on which it was charged or returned, so the figures of a past day never change. What
each order was charged for is kept until it is returned; all four reports come from the same orders.
"""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from domain.money import spread
from domain.order import Order
from domain.stream import Stream
from projections.model import GENERATION, Changes, ReadModel, Row
from projections.paging import Page, Span

metadata = sa.MetaData(schema=GENERATION)

revenue_orders = sa.Table(
    "view_revenue_orders",
    metadata,
    sa.Column("order_id", sa.Uuid, primary_key=True),
    sa.Column("designation", sa.String(255)),  # of the user who asked
    sa.Column("promotion_code", sa.String(255)),
    sa.Column("lines", sa.Text, nullable=False),  # JSON: [[slug, net price in cents], ...]
    sa.Column("transaction_id", sa.String(64)),  # once it is charged
)

revenue = sa.Table(
    "view_revenue",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("dimension", sa.String(20), primary_key=True),
    sa.Column("value", sa.String(255), primary_key=True),  # empty: no promotion, no designation
    sa.Column("charges", sa.BigInteger, nullable=False),
    sa.Column("charged_cents", sa.BigInteger, nullable=False),
    sa.Column("returns", sa.BigInteger, nullable=False),
    sa.Column("returned_cents", sa.BigInteger, nullable=False),
)

DAY, SERVICE, PROMOTION, DESIGNATION = "day", "service", "promotion", "designation"
AMOUNTS = ("charges", "charged_cents", "returns", "returned_cents")


class Revenue(ReadModel):
    """Keeps `view_revenue`, and in `view_revenue_orders` what it needs to know of each order for that."""

    name = "revenue"
    records = (revenue_orders,)
    sums = (revenue,)
    events = frozenset(
        {
            Order.Requested,
            Order.PromotionApplied,
            Order.PaymentCharged,
            Order.Refused,
            Order.PaymentWaived,
            Order.PaymentDeclined,
            Order.PaymentFailed,
            Order.PaymentNotSent,
            Order.PaymentExpired,
            Order.PaymentVoided,
            Order.PaymentRefunded,
        }
    )

    def fold(self, event: Stream.Event, position: int, changes: Changes) -> None:
        rows, order_id = changes.records[revenue_orders], event.originator_id
        match event:
            case Order.Requested():
                rows.put(
                    {
                        "order_id": order_id,
                        "designation": event.designation,
                        "promotion_code": None,
                        "lines": _json([(line.slug, line.base_price_cents) for line in event.lines]),
                        "transaction_id": None,
                    }
                )
            case Order.PromotionApplied(code=code, discounts_cents=discounts):
                if row := rows.find(order_id):
                    rows.change(order_id, promotion_code=code, lines=_less(row["lines"], discounts))
            case Order.PaymentCharged(transaction_id=transaction_id, amount_cents=amount_cents):
                if row := rows.change(order_id, transaction_id=transaction_id):
                    _count(changes, event, row, amount_cents, "charges", "charged_cents")
            case (
                Order.PaymentVoided(transaction_id=taken, amount_cents=amount_cents)
                | Order.PaymentRefunded(transaction_id=taken, amount_cents=amount_cents)
            ):
                row = rows.find(order_id)
                if row and row["transaction_id"] == taken:  # another charge was never counted
                    _count(changes, event, row, amount_cents, "returns", "returned_cents")
                    rows.drop(order_id)
            case _:
                rows.drop(order_id)  # it ended without a charge


def _count(changes: Changes, event: Stream.Event, order: Row, amount_cents: int, number: str, cents: str) -> None:
    sums, day = changes.sums[revenue], event.timestamp.date()
    for cell in (
        (day, DAY, ""),
        (day, PROMOTION, order["promotion_code"] or ""),
        (day, DESIGNATION, order["designation"] or ""),
    ):
        row = sums[cell]
        row[number] += 1
        row[cents] += amount_cents
    lines: list[tuple[str, int]] = msgspec.json.decode(order["lines"])
    for (slug, _), part_cents in zip(lines, spread(amount_cents, [net for _, net in lines]), strict=True):
        row = sums[day, SERVICE, slug]
        row[number] += 1
        row[cents] += part_cents


def _less(lines: str, discounts_cents: tuple[int, ...]) -> str:
    pairs = msgspec.json.decode(lines)
    return _json([(slug, cents - off) for (slug, cents), off in zip(pairs, discounts_cents, strict=True)])


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def revenue_by_day(connection: sa.Connection, span: Span, page: Page) -> list[Row]:
    """The days of the span on which anything was charged or returned, newest first; one more than the page's limit if
    there are more. Cursor: `day`."""
    query = sa.select(revenue.c.day, *(revenue.c[name] for name in AMOUNTS))
    query = query.where(revenue.c.dimension == DAY, *span.of_day(revenue.c.day))
    if page.after is not None:
        query = query.where(revenue.c.day < page.after[0])
    query = query.order_by(revenue.c.day.desc()).limit(page.limit + 1)
    return [_with_net(row) for row in connection.execute(query).mappings()]


def revenue_by(connection: sa.Connection, dimension: str, span: Span, page: Page) -> list[Row]:
    """The sums over the span for each value of a dimension, in the order of the values; one more than the page's limit
    if there are more. Cursor: the value, which is empty where there was none."""
    sums = (sa.cast(sa.func.sum(revenue.c[name]), sa.BigInteger).label(name) for name in AMOUNTS)
    query = sa.select(revenue.c.value.label(dimension), *sums)
    query = query.where(revenue.c.dimension == dimension, *span.of_day(revenue.c.day)).group_by(revenue.c.value)
    if page.after is not None:
        query = query.where(revenue.c.value > page.after[0])
    query = query.order_by(revenue.c.value).limit(page.limit + 1)
    return [_with_net(row) for row in connection.execute(query).mappings()]


def _with_net(row: sa.RowMapping) -> Row:
    return {**row, "net_cents": row["charged_cents"] - row["returned_cents"]}

"""Promotions: their present terms, how often each was used, and what that cost, day by day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from domain.order import Order
from domain.promotion import Promotion
from domain.stream import Stream
from projections.columns import UtcDateTime
from projections.model import GENERATION, Changes, ReadModel, Row
from projections.paging import Page, Span

metadata = sa.MetaData(schema=GENERATION)

promotions = sa.Table(
    "view_promotions",
    metadata,
    sa.Column("promotion_id", sa.Uuid, primary_key=True),
    sa.Column("code", sa.String(255), nullable=False),
    sa.Column("percent_off", sa.Integer),
    sa.Column("amount_off_cents", sa.BigInteger),
    sa.Column("designation", sa.String(255)),
    sa.Column("starts_at", UtcDateTime),
    sa.Column("ends_at", UtcDateTime),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Index("ix_view_promotions_code", "code", "promotion_id"),
)

# Orders that hold a promotion, or have used it and may still be taken back.
promotion_orders = sa.Table(
    "view_promotion_orders",
    metadata,
    sa.Column("order_id", sa.Uuid, primary_key=True),
    sa.Column("promotion_id", sa.Uuid, nullable=False),
    sa.Column("discount_cents", sa.BigInteger, nullable=False),
    sa.Column("total_cents", sa.BigInteger, nullable=False),
    sa.Column("transaction_id", sa.String(64)),
)

promotion_use = sa.Table(
    "view_promotion_use",
    metadata,
    sa.Column("promotion_id", sa.Uuid, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),  # UTC, on which it happened
    sa.Column("reserved", sa.BigInteger, nullable=False),
    sa.Column("redeemed", sa.BigInteger, nullable=False),
    sa.Column("released", sa.BigInteger, nullable=False),
    sa.Column("refused", sa.BigInteger, nullable=False),
    sa.Column("taken_back", sa.BigInteger, nullable=False),  # used orders whose charge was voided or refunded
    sa.Column("discount_cents", sa.BigInteger, nullable=False),  # given away, less that of orders taken back
    sa.Column("revenue_cents", sa.BigInteger, nullable=False),  # of the orders that used it, less those taken back
)

USE = ("reserved", "redeemed", "released", "refused", "taken_back", "discount_cents", "revenue_cents")


class Promotions(ReadModel):
    """Keeps the three tables. An order's promotion is reserved, redeemed and released in the same commits as its own
    events, so those tell it all."""

    name = "promotions"
    records = (promotions, promotion_orders)
    sums = (promotion_use,)
    events = frozenset(
        {
            Promotion.Created,
            Promotion.Changed,
            Promotion.Deactivated,
            Order.Requested,  # only says that the order has no row yet, which spares a look
            Order.Refused,
            Order.PromotionApplied,
            Order.PaymentCharged,
            Order.Submitted,
            Order.PaymentDeclined,
            Order.PaymentFailed,
            Order.PaymentNotSent,
            Order.PaymentExpired,
            Order.PaymentVoided,
            Order.PaymentRefunded,
        }
    )

    def fold(self, event: Stream.Event, position: int, changes: Changes) -> None:
        match event:
            case Order.Requested() | Order.Refused(promotion_id=None):
                pass
            case Order.PromotionApplied():
                changes.records[promotion_orders].put(_holding(event))
                changes.sums[promotion_use][event.promotion_id, event.timestamp.date()]["reserved"] += 1
            case Order.Refused(promotion_id=promotion_id):
                changes.sums[promotion_use][promotion_id, event.timestamp.date()]["refused"] += 1
            case Promotion.Created() | Promotion.Changed():
                changes.records[promotions].put(_terms(event))
            case Promotion.Deactivated():
                changes.records[promotions].change(event.originator_id, active=False, version=event.originator_version)
            case _:
                order = changes.records[promotion_orders].find(event.originator_id)
                if order is not None:
                    _use(event, order, changes)


def _terms(event: Promotion.Created | Promotion.Changed) -> Row:
    return {
        "promotion_id": event.originator_id,
        "code": event.code,
        "percent_off": event.percent_off,
        "amount_off_cents": event.amount_off_cents,
        "designation": event.designation,
        "starts_at": event.starts_at,
        "ends_at": event.ends_at,
        "active": True,
        "version": event.originator_version,
    }


def _holding(event: Order.PromotionApplied) -> Row:
    return {
        "order_id": event.originator_id,
        "promotion_id": event.promotion_id,
        "discount_cents": event.discount_cents,
        "total_cents": event.total_cents,
        "transaction_id": None,
    }


def _use(event: Stream.Event, order: Row, changes: Changes) -> None:
    """What an event of an order means for the promotion that it holds."""
    rows, use = changes.records[promotion_orders], changes.sums[promotion_use]
    if isinstance(event, Order.PaymentCharged):
        rows.change(order["order_id"], transaction_id=event.transaction_id)
        return
    cell = (order["promotion_id"], event.timestamp.date())
    discount_cents, total_cents = order["discount_cents"], order["total_cents"]
    match event:
        case Order.Submitted():
            used = use[cell]
            used["redeemed"] += 1
            used["discount_cents"] += discount_cents
            used["revenue_cents"] += total_cents
        case Order.PaymentVoided(transaction_id=taken) | Order.PaymentRefunded(transaction_id=taken):
            if taken == order["transaction_id"]:
                used = use[cell]
                used["taken_back"] += 1
                used["discount_cents"] -= discount_cents
                used["revenue_cents"] -= total_cents
                rows.drop(order["order_id"])
        case _:
            use[cell]["released"] += 1
            rows.drop(order["order_id"])


def find_promotions(connection: sa.Connection, span: Span, page: Page) -> list[Row]:
    """Promotions by code, with their use in the span; one more than the page's limit if there are more.

    Cursor: `code`, `promotion_id`.
    """
    used = sa.select(promotion_use.c.promotion_id, *(sa.func.sum(promotion_use.c[name]).label(name) for name in USE))
    use = used.where(*span.of_day(promotion_use.c.day)).group_by(promotion_use.c.promotion_id).subquery()
    counts = (sa.cast(sa.func.coalesce(use.c[name], 0), sa.BigInteger).label(name) for name in USE)
    query = sa.select(promotions, *counts).outerjoin(use, use.c.promotion_id == promotions.c.promotion_id)
    if page.after is not None:
        query = query.where(sa.tuple_(promotions.c.code, promotions.c.promotion_id) > sa.tuple_(*_cursor(page.after)))
    query = query.order_by(promotions.c.code, promotions.c.promotion_id).limit(page.limit + 1)
    return [dict(row) for row in connection.execute(query).mappings()]


def _cursor(after: Sequence[Any]) -> list[sa.BindParameter[Any]]:
    code, promotion_id = after
    return [sa.literal(code, sa.String()), sa.literal(promotion_id, sa.Uuid())]

"""Orders, to search and to page through: what a list is filtered and sorted by. The order itself is in the log."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from domain.order import Order
from domain.order_events import OrderState
from projections.catch_up import Recorded, insert_for, metadata
from projections.columns import UtcDateTime

orders = sa.Table(
    "view_orders",
    metadata,
    sa.Column("order_id", sa.Uuid, primary_key=True),
    sa.Column("requested_position", sa.BigInteger, nullable=False, unique=True),
    sa.Column("number", sa.String(11), nullable=False, index=True),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("client_id", sa.BigInteger, nullable=False),
    sa.Column("requested_at", UtcDateTime, nullable=False),
    sa.Column("request_id", sa.String(64), nullable=False, index=True),
    sa.Column("promotion_code", sa.String(255)),
    sa.Column("invoice_number", sa.String(20), index=True),
    sa.Column("transaction_id", sa.String(32), index=True),
    sa.Index("ix_view_orders_client", "client_id", "requested_position"),
    sa.Index("ix_view_orders_state", "state", "requested_position"),
)


class Orders:
    """Keeps `view_orders`."""

    name = "orders"

    def fold(self, connection: sa.Connection, batch: Sequence[Recorded]) -> None:
        """Fold the batch per order in memory, then write each order once."""
        changes: dict[UUID, dict[str, Any]] = {}
        for recorded in batch:
            values = _values(recorded)
            if values:
                changes.setdefault(recorded.event.originator_id, {}).update(values)
        for order_id, values in changes.items():
            if "requested_position" in values:
                row = {"state": OrderState.PAYMENT_OPEN.value, **values, "order_id": order_id}
                insert = insert_for(connection, orders).values(row)
                connection.execute(insert.on_conflict_do_nothing())
            else:
                connection.execute(orders.update().where(orders.c.order_id == order_id).values(values))
        for recorded in batch:
            _take_back(connection, recorded)


def _take_back(connection: sa.Connection, recorded: Recorded) -> None:
    """Taking back the charge that an order was submitted with ends it; taking back any other does not."""
    match recorded.event:
        case Order.PaymentVoided() as event:
            state = OrderState.VOIDED
        case Order.PaymentRefunded() as event:
            state = OrderState.REFUNDED
        case _:
            return
    connection.execute(
        orders.update()
        .where(
            orders.c.order_id == event.originator_id,
            orders.c.state == OrderState.SUBMITTED.value,
            orders.c.transaction_id == event.transaction_id,
        )
        .values(state=state.value)
    )


def _values(recorded: Recorded) -> dict[str, Any]:
    """The columns that an event changes."""
    match recorded.event:
        case Order.Requested() as event:
            return {
                "requested_position": recorded.position,
                "number": Order.empty(event.originator_id).number,
                "client_id": event.client_id,
                "requested_at": event.timestamp,
                "request_id": event.correlation_id,
            }
        case Order.Refused():
            return {"state": OrderState.REFUSED.value}
        case Order.PromotionApplied(code=code):
            return {"promotion_code": code}
        case Order.PaymentAttempted(invoice_number=invoice_number):
            return {"state": OrderState.PAYMENT_OPEN.value, "invoice_number": invoice_number}
        case Order.PaymentCharged(transaction_id=transaction_id):
            return {"transaction_id": transaction_id}
        case Order.PaymentHeld(transaction_id=transaction_id):
            return {"state": OrderState.PAYMENT_HELD.value, "transaction_id": transaction_id}
        case Order.PaymentDeclined():
            return {"state": OrderState.DECLINED.value}
        case Order.PaymentFailed() | Order.PaymentNotSent():
            return {"state": OrderState.PAYMENT_FAILED.value}
        case Order.PaymentExpired():
            return {"state": OrderState.PAYMENT_EXPIRED.value}
        case Order.Submitted():
            return {"state": OrderState.SUBMITTED.value}
        case _:
            return {}


@dataclass(frozen=True)
class OrderFilter:
    """What a list asks for. `before` is the cursor: only orders requested before that position."""

    states: tuple[str, ...] = ()  # empty: all but refused
    client_id: int | None = None
    client_ids: tuple[int, ...] | None = None  # None: everybody's
    requested_from: datetime | None = None
    requested_to: datetime | None = None
    promotion_code: str | None = None
    q: str | None = None  # exact: id, number, request id, invoice number or transaction id
    before: int | None = None
    limit: int = 50


def find_orders(connection: sa.Connection, wanted: OrderFilter) -> list[tuple[UUID, int]]:
    """Ids with their cursor positions, newest first; one more than the limit if there is a further page."""
    query = sa.select(orders.c.order_id, orders.c.requested_position)
    if wanted.states:
        query = query.where(orders.c.state.in_(wanted.states))
    elif wanted.q is None:
        query = query.where(orders.c.state != OrderState.REFUSED.value)
    if wanted.client_id is not None:
        query = query.where(orders.c.client_id == wanted.client_id)
    if wanted.client_ids is not None:
        query = query.where(orders.c.client_id.in_(wanted.client_ids))
    if wanted.requested_from is not None:
        query = query.where(orders.c.requested_at >= wanted.requested_from)
    if wanted.requested_to is not None:
        query = query.where(orders.c.requested_at < wanted.requested_to)
    if wanted.promotion_code is not None:
        query = query.where(sa.func.upper(orders.c.promotion_code) == wanted.promotion_code.strip().upper())
    if wanted.before is not None:
        query = query.where(orders.c.requested_position < wanted.before)
    if wanted.q is not None:
        query = query.where(_named(wanted.q.strip()))
    query = query.order_by(orders.c.requested_position.desc()).limit(wanted.limit + 1)
    return [(row.order_id, row.requested_position) for row in connection.execute(query)]


def find_by_invoice(
    connection: sa.Connection, invoice_numbers: Sequence[str]
) -> dict[str, tuple[UUID, str, str | None]]:
    """Order, state and transaction of each invoice number that is known."""
    found: dict[str, tuple[UUID, str, str | None]] = {}
    for start in range(0, len(invoice_numbers), 500):
        query = sa.select(orders.c.invoice_number, orders.c.order_id, orders.c.state, orders.c.transaction_id).where(
            orders.c.invoice_number.in_(invoice_numbers[start : start + 500])
        )
        for row in connection.execute(query):
            found[row.invoice_number] = (row.order_id, row.state, row.transaction_id)
    return found


def _named(text: str) -> sa.ColumnElement[bool]:
    """Any of the names that an order has, exactly."""
    names = [
        orders.c.number == text.upper(),
        orders.c.request_id == text,
        orders.c.invoice_number == text.upper(),
        orders.c.transaction_id == text,
    ]
    with suppress(ValueError):
        names.append(orders.c.order_id == UUID(text))
    return sa.or_(*names)

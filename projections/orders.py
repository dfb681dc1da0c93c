"""Orders, to search and to page through: what a list is filtered and sorted by. The order itself is in the log."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from domain.order import Order
from domain.order_events import EmailState, OrderState
from domain.order_number import number_of
from domain.stream import Stream
from projections.columns import UtcDateTime
from projections.model import GENERATION, Changes, ReadModel, Row

metadata = sa.MetaData(schema=GENERATION)

orders = sa.Table(
    "view_orders",
    metadata,
    sa.Column("order_id", sa.Uuid, primary_key=True),
    sa.Column("requested_position", sa.BigInteger, nullable=False),
    sa.Column("number", sa.String(11), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("client_id", sa.BigInteger, nullable=False),
    sa.Column("total_cents", sa.BigInteger, nullable=False),
    sa.Column("requested_at", UtcDateTime, nullable=False),
    sa.Column("submitted_at", UtcDateTime),
    sa.Column("request_id", sa.String(255), nullable=False),
    sa.Column("promotion_code", sa.String(255)),
    sa.Column("invoice_number", sa.String(20)),
    sa.Column("transaction_id", sa.String(64)),
    sa.Column("email_state", sa.String(10)),
    sa.Index("ix_view_orders_position", "requested_position", unique=True),
    sa.Index("ix_view_orders_client", "client_id", "requested_position"),
    sa.Index("ix_view_orders_state", "state", "requested_position"),
    sa.Index("ix_view_orders_number", "number"),
    sa.Index("ix_view_orders_request", "request_id"),
    sa.Index("ix_view_orders_invoice", "invoice_number"),
    sa.Index("ix_view_orders_transaction", "transaction_id"),
    sa.Index("ix_view_orders_promotion", sa.text("upper(promotion_code)"), "requested_position"),
    sa.Index("ix_view_orders_requested_at", "requested_at", "requested_position"),
)


_VALUES: Mapping[type[Stream.Event], Callable[[Any], dict[str, Any]]] = {
    Order.Refused: lambda _: {"state": OrderState.REFUSED.value},
    Order.PromotionApplied: lambda event: {"promotion_code": event.code, "total_cents": event.total_cents},
    Order.PaymentAttempted: lambda event: {
        "state": OrderState.PAYMENT_OPEN.value,
        "invoice_number": event.invoice_number,
    },
    Order.PaymentCharged: lambda event: {"transaction_id": event.transaction_id},
    Order.PaymentHeld: lambda event: {"state": OrderState.PAYMENT_HELD.value, "transaction_id": event.transaction_id},
    Order.PaymentDeclined: lambda _: {"state": OrderState.DECLINED.value},
    Order.PaymentFailed: lambda _: {"state": OrderState.PAYMENT_FAILED.value},
    Order.PaymentNotSent: lambda _: {"state": OrderState.PAYMENT_FAILED.value},
    Order.PaymentExpired: lambda _: {"state": OrderState.PAYMENT_EXPIRED.value},
    Order.Submitted: lambda event: {
        "state": OrderState.SUBMITTED.value,
        "submitted_at": event.timestamp,
        "email_state": EmailState.PENDING.value,
    },
    Order.EmailResendRequested: lambda _: {"email_state": EmailState.PENDING.value},
    Order.EmailSent: lambda _: {"email_state": EmailState.SENT.value},
    Order.EmailFailed: lambda _: {"email_state": EmailState.FAILED.value},
}
"""The columns that an event of the order changes."""


class Orders(ReadModel):
    """Keeps `view_orders`: one row per order that was requested."""

    name = "orders"
    records = (orders,)
    events = frozenset({Order.Requested, *_VALUES, Order.PaymentVoided, Order.PaymentRefunded})

    def fold(self, event: Stream.Event, position: int, changes: Changes) -> None:
        rows, order_id = changes.records[orders], event.originator_id
        if values := _VALUES.get(type(event)):
            rows.change(order_id, **values(event))
            return
        match event:
            case Order.Requested():
                rows.put(_requested(event, position))
            case (
                Order.PaymentVoided(transaction_id=transaction_id)
                | Order.PaymentRefunded(transaction_id=transaction_id)
            ):
                # Taking back the charge that an order was submitted with ends it; taking back any other does not.
                row = rows.find(order_id)
                if row and (row["state"], row["transaction_id"]) == (OrderState.SUBMITTED.value, transaction_id):
                    voided = isinstance(event, Order.PaymentVoided)
                    rows.change(order_id, state=(OrderState.VOIDED if voided else OrderState.REFUNDED).value)


def _requested(event: Order.Requested, position: int) -> dict[str, Any]:
    return {
        "order_id": event.originator_id,
        "requested_position": position,
        "number": number_of(event.originator_id),
        "state": OrderState.PAYMENT_OPEN.value,
        "client_id": event.client_id,
        "total_cents": event.subtotal_cents,
        "requested_at": event.timestamp,
        "submitted_at": None,
        "request_id": event.correlation_id,
        "promotion_code": None,
        "invoice_number": None,
        "transaction_id": None,
        "email_state": None,
    }


ALL_STATES = frozenset(state.value for state in OrderState)


@dataclass(frozen=True)
class OrderFilter:
    """What a list asks for. `before` is the cursor: only orders requested before that position."""

    states: tuple[str, ...] = ()  # empty: all but refused, unless `q` names something
    client_id: int | None = None
    client_ids: tuple[int, ...] | None = None  # None: everybody's
    requested_from: datetime | None = None
    requested_to: datetime | None = None
    promotion_code: str | None = None
    q: str | None = None  # exact: id, number, request id, invoice number or transaction id
    also: tuple[UUID, ...] = ()  # orders that `q` finds by what no read model holds: an e-mail address, an address
    before: int | None = None
    limit: int = 50


def find_orders(connection: sa.Connection, wanted: OrderFilter) -> list[tuple[UUID, int]]:
    """Ids with their cursor positions, newest first; one more than the limit if there is a further page."""
    query = _matching(sa.select(orders.c.order_id, orders.c.requested_position), wanted)
    return [(row.order_id, row.requested_position) for row in connection.execute(query)]


def list_orders(connection: sa.Connection, wanted: OrderFilter) -> list[Row]:
    """Whole rows, newest first; one more than the limit if there is a further page."""
    return [dict(row) for row in connection.execute(_matching(sa.select(orders), wanted)).mappings()]


def newest_of_states(connection: sa.Connection, states: Sequence[str]) -> list[Row]:
    """The newest order in each of the states, where there is one, newest first."""
    newest = (list_orders(connection, OrderFilter(states=(state,), limit=1))[:1] for state in states)
    return sorted((row for rows in newest for row in rows), key=lambda row: -row["requested_position"])


def count_orders(connection: sa.Connection, states: Sequence[str]) -> dict[str, int]:
    """How many orders are in each of the states now; states without any are left out."""
    query = sa.select(orders.c.state, sa.func.count()).where(orders.c.state.in_(states)).group_by(orders.c.state)
    return {state: int(number) for state, number in connection.execute(query)}


def _matching(query: sa.Select[Any], wanted: OrderFilter) -> sa.Select[Any]:
    if wanted.states and set(wanted.states) != ALL_STATES:
        query = query.where(orders.c.state.in_(wanted.states))
    elif not wanted.states and wanted.q is None:
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
        query = query.where(orders.c.order_id.in_(_named(wanted.q.strip(), wanted.also)))
    return query.order_by(orders.c.requested_position.desc()).limit(wanted.limit + 1)


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


def _named(text: str, also: Sequence[UUID]) -> sa.CompoundSelect[Any]:
    """Any of the names that an order has, exactly. One look into an index for each: of an OR over all of them a
    planner without statistics makes a walk through the table."""
    names = [
        orders.c.number == text.upper(),
        orders.c.request_id == text,
        orders.c.invoice_number == text.upper(),
        orders.c.transaction_id == text,
    ]
    with suppress(ValueError):
        names.append(orders.c.order_id == UUID(text))
    if also:
        names.append(orders.c.order_id.in_(also))
    return sa.union_all(*(sa.select(orders.c.order_id).where(name) for name in names))

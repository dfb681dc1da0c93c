"""Payments: one row per attempt to pay for an order, with what became of it, and what was taken back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from domain.order import Order
from domain.order_events import CorrectionState
from domain.payment import GatewayCodes, PaymentState
from domain.stream import Stream
from projections.columns import UtcDateTime
from projections.model import GENERATION, Changes, ReadModel, Row
from projections.paging import Page, Span

metadata = sa.MetaData(schema=GENERATION)

payments = sa.Table(
    "view_payments",
    metadata,
    sa.Column("order_id", sa.Uuid, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),  # of the attempt
    sa.Column("client_id", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),  # requested, while nothing was attempted; then a PaymentState
    sa.Column("reason", sa.String(255)),
    sa.Column("amount_cents", sa.BigInteger, nullable=False),
    sa.Column("invoice_number", sa.String(20)),
    sa.Column("transaction_id", sa.String(64)),
    sa.Column("authorization_code", sa.String(64)),
    sa.Column("brand", sa.String(40)),
    sa.Column("last4", sa.String(4)),
    sa.Column("response_code", sa.String(20)),
    sa.Column("reason_code", sa.String(20)),
    sa.Column("attempted_at", UtcDateTime, nullable=False),
    sa.Column("changed_at", UtcDateTime, nullable=False),  # when it came to its present state
    sa.Index("ix_view_payments_position", "position", unique=True),
    sa.Index("ix_view_payments_state", "state", "position"),
)

corrections = sa.Table(
    "view_corrections",
    metadata,
    sa.Column("order_id", sa.Uuid, primary_key=True),
    sa.Column("transaction_id", sa.String(64), primary_key=True),
    sa.Column("state", sa.String(20), nullable=False),  # a CorrectionState
    sa.Column("amount_cents", sa.BigInteger, nullable=False),
    sa.Column("unexpected", sa.Boolean, nullable=False),  # a charge that the order must not keep
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("requested_at", UtcDateTime, nullable=False),
    sa.Column("done_at", UtcDateTime),
)

REQUESTED = "requested"
_EMPTY: Row = dict.fromkeys(column.name for column in payments.columns)


class Payments(ReadModel):
    """Keeps `view_payments` and `view_corrections`."""

    name = "payments"
    records = (payments, corrections)
    events = frozenset(
        {
            Order.Requested,
            Order.Refused,
            Order.PaymentAttempted,
            Order.PaymentWaived,
            Order.PaymentCharged,
            Order.PaymentDeclined,
            Order.PaymentFailed,
            Order.PaymentNotSent,
            Order.PaymentOutcomeUnknown,
            Order.PaymentHeld,
            Order.PaymentExpired,
            Order.VoidRequested,
            Order.RefundRequested,
            Order.PaymentVoided,
            Order.PaymentRefunded,
        }
    )

    def fold(self, event: Stream.Event, position: int, changes: Changes) -> None:
        rows, order_id, at = changes.records[payments], event.originator_id, event.timestamp
        match event:
            case Order.Requested():
                rows.put(_requested(event, position))
            case Order.Refused():
                rows.drop(order_id)
            case Order.VoidRequested() | Order.RefundRequested():
                changes.records[corrections].put(_asked(event))
            case Order.PaymentVoided() | Order.PaymentRefunded():
                _taken_back(event, changes)
            case _:
                rows.change(order_id, **_values(event, position), changed_at=at)


def _requested(event: Order.Requested, position: int) -> Row:
    return _EMPTY | {
        "order_id": event.originator_id,
        "position": position,
        "client_id": event.client_id,
        "state": REQUESTED,
        "amount_cents": event.subtotal_cents,
        "attempted_at": event.timestamp,
        "changed_at": event.timestamp,
    }


def _values(event: Stream.Event, position: int) -> Row:
    """The columns that an event of the attempt changes."""
    match event:
        case Order.PaymentAttempted():
            return {
                "position": position,
                "state": PaymentState.ATTEMPTED.value,
                "amount_cents": event.amount_cents,
                "invoice_number": event.invoice_number,
                "brand": event.brand,
                "last4": event.last4,
                "attempted_at": event.timestamp,
            }
        case Order.PaymentWaived():
            return {"position": position, "state": PaymentState.WAIVED.value, "amount_cents": 0}
        case Order.PaymentCharged():
            return {
                **_now(PaymentState.CHARGED, None, event.codes),
                "transaction_id": event.transaction_id,
                "authorization_code": event.authorization_code,
            }
        case Order.PaymentHeld():
            return _now(PaymentState.HELD, "held-for-review", event.codes) | {"transaction_id": event.transaction_id}
        case Order.PaymentDeclined():
            return _now(PaymentState.DECLINED, event.reason, event.codes) | {"transaction_id": event.transaction_id}
        case Order.PaymentFailed():
            return _now(PaymentState.FAILED, event.reason, event.codes)
        case Order.PaymentOutcomeUnknown():
            return _now(PaymentState.UNKNOWN, event.reason, event.codes)
        case Order.PaymentNotSent():
            return _now(PaymentState.NOT_SENT, event.reason)
        case _:
            return _now(PaymentState.EXPIRED, "not-found-at-gateway")


def _now(state: PaymentState, reason: str | None, codes: GatewayCodes | None = None) -> Row:
    shown = {"response_code": codes.response_code, "reason_code": codes.reason_code} if codes else {}
    return {"state": state.value, "reason": reason, **shown}


def _asked(event: Order.VoidRequested | Order.RefundRequested) -> Row:
    void = isinstance(event, Order.VoidRequested)
    return {
        "order_id": event.originator_id,
        "transaction_id": event.transaction_id,
        "state": (CorrectionState.VOID_REQUESTED if void else CorrectionState.REFUND_REQUESTED).value,
        "amount_cents": event.amount_cents,
        "unexpected": event.unexpected,
        "reason": event.reason,
        "requested_at": event.timestamp,
        "done_at": None,
    }


def _taken_back(event: Order.PaymentVoided | Order.PaymentRefunded, changes: Changes) -> None:
    """The correction is done; it changes the payment if it was this charge, and not an unexpected one."""
    voided = isinstance(event, Order.PaymentVoided)
    done = CorrectionState.VOIDED if voided else CorrectionState.REFUNDED
    order_id, at = event.originator_id, event.timestamp
    changes.records[corrections].change(order_id, event.transaction_id, state=done.value, done_at=at)
    row = changes.records[payments].find(order_id)
    if row and (row["state"], row["transaction_id"]) == (PaymentState.CHARGED.value, event.transaction_id):
        state = PaymentState.VOIDED if voided else PaymentState.REFUNDED
        changes.records[payments].change(order_id, state=state.value, changed_at=at)


def find_payments(connection: sa.Connection, span: Span, page: Page, *, state: str | None = None) -> list[Row]:
    """Payments attempted in the span, newest first, each with its corrections; one more than the page's limit if there
    are more. Cursor: `position`."""
    query = sa.select(payments).where(payments.c.state != REQUESTED, *span.of(payments.c.attempted_at))
    if state is not None:
        query = query.where(payments.c.state == state)
    if page.after is not None:
        query = query.where(payments.c.position < page.after[0])
    query = query.order_by(payments.c.position.desc()).limit(page.limit + 1)
    found: list[dict[str, Any]] = [dict(row) for row in connection.execute(query).mappings()]
    taken = sa.select(corrections).where(corrections.c.order_id.in_([row["order_id"] for row in found]))
    by_order: dict[Any, list[Row]] = {}
    for row in connection.execute(taken.order_by(corrections.c.requested_at, corrections.c.transaction_id)).mappings():
        by_order.setdefault(row["order_id"], []).append({k: v for k, v in row.items() if k != "order_id"})
    return [{**row, "corrections": by_order.get(row["order_id"], [])} for row in found]


def corrections_of(connection: sa.Connection, order_ids: Sequence[UUID]) -> list[Row]:
    """The charges of these orders that were to be taken back, as they stand."""
    query = sa.select(corrections).where(corrections.c.order_id.in_(order_ids)).order_by(corrections.c.requested_at)
    return [dict(row) for row in connection.execute(query).mappings()]

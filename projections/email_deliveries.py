"""Email deliveries: one row per order and recipient; the recipient is known by a keyed id only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

import sqlalchemy as sa

from domain.order import Order
from domain.order_events import Delivery
from domain.stream import Stream
from projections.columns import UtcDateTime
from projections.model import GENERATION, Changes, ReadModel, Records, Row
from projections.paging import Page, Span

metadata = sa.MetaData(schema=GENERATION)

email_deliveries = sa.Table(
    "view_email_deliveries",
    metadata,
    sa.Column("order_id", sa.Uuid, primary_key=True),
    sa.Column("email_id", sa.String(64), primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),  # of the first event that names the message
    sa.Column("status", sa.String(20), nullable=False),  # of the last try; attempted, while its end is not known
    sa.Column("reason", sa.String(255)),
    sa.Column("message_id", sa.String(255)),
    sa.Column("tries", sa.Integer, nullable=False),  # of which the log knows the end
    sa.Column("first_at", UtcDateTime, nullable=False),
    sa.Column("changed_at", UtcDateTime, nullable=False),
    sa.Index("ix_view_email_deliveries_position", "position", "email_id"),
    sa.Index("ix_view_email_deliveries_status", "status", "position"),
)

ATTEMPTED = "attempted"
STATUSES = (ATTEMPTED, "sent", "queued", "scheduled", "rejected", "invalid", "failed", "not-sent", "unknown")


class EmailDeliveries(ReadModel):
    """Keeps `view_email_deliveries`."""

    name = "email_deliveries"
    records = (email_deliveries,)
    events = frozenset({Order.Requested, Order.EmailAttempted, Order.EmailSent, Order.EmailFailed})

    def fold(self, event: Stream.Event, position: int, changes: Changes) -> None:
        rows = changes.records[email_deliveries]
        match event:
            case Order.EmailAttempted(email_ids=email_ids):
                for email_id in email_ids:
                    _known(rows, event, position, email_id)
                    rows.change(event.originator_id, email_id, status=ATTEMPTED, changed_at=event.timestamp)
            case Order.EmailSent(deliveries=deliveries) | Order.EmailFailed(deliveries=deliveries):
                _ended(rows, event, position, deliveries)
            case _:
                pass  # Requested only says that no order has rows before it


def _ended(rows: Records, event: Stream.Event, position: int, deliveries: Iterable[Delivery]) -> None:
    for delivery in deliveries:
        before = _known(rows, event, position, delivery.email_id)
        rows.change(
            event.originator_id,
            delivery.email_id,
            status=delivery.status,
            reason=delivery.reason,
            message_id=delivery.message_id,
            tries=before["tries"] + 1,
            changed_at=event.timestamp,
        )


def _known(rows: Records, event: Stream.Event, position: int, email_id: str) -> Row:
    found = rows.find(event.originator_id, email_id)
    if found is None:
        found = {
            "order_id": event.originator_id,
            "email_id": email_id,
            "position": position,
            "status": ATTEMPTED,
            "reason": None,
            "message_id": None,
            "tries": 0,
            "first_at": event.timestamp,
            "changed_at": event.timestamp,
        }
        rows.put(found)
    return found


def find_email_deliveries(connection: sa.Connection, span: Span, page: Page, *, status: str | None = None) -> list[Row]:
    """Messages first named in the span, newest first; one more than the page's limit if there are more.

    Cursor: `position`, `email_id`.
    """
    table = email_deliveries
    query = sa.select(table).where(*span.of(table.c.first_at))
    if status is not None:
        query = query.where(table.c.status == status)
    if page.after is not None:
        position, email_id = page.after
        further = sa.and_(table.c.position == position, table.c.email_id > email_id)
        query = query.where(sa.or_(table.c.position < position, further))
    query = query.order_by(table.c.position.desc(), table.c.email_id).limit(page.limit + 1)
    return [dict(row) for row in connection.execute(query).mappings()]


def deliveries_of(connection: sa.Connection, order_ids: Sequence[UUID]) -> list[Row]:
    """The messages of these orders, by recipient."""
    table = email_deliveries
    query = sa.select(table).where(table.c.order_id.in_(order_ids)).order_by(table.c.order_id, table.c.email_id)
    return [dict(row) for row in connection.execute(query).mappings()]

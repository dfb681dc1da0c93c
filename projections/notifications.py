"""The notifications tab: what people should look at, newest first."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from domain.notification import Notification
from domain.stream import Stream
from projections.columns import UtcDateTime
from projections.model import GENERATION, Changes, ReadModel

metadata = sa.MetaData(schema=GENERATION)

notifications = sa.Table(
    "view_notifications",
    metadata,
    sa.Column("notification_id", sa.Uuid, primary_key=True),
    sa.Column("raised_position", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.String(80), nullable=False),
    sa.Column("state", sa.String(10), nullable=False),  # new | seen | resolved
    sa.Column("order_id", sa.Uuid),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("raised_at", UtcDateTime, nullable=False),
    sa.Index("ix_view_notifications_position", "raised_position", unique=True),
    sa.Index("ix_view_notifications_state", "state", "raised_position"),
)


class Notifications(ReadModel):
    """Keeps `view_notifications`."""

    name = "notifications"
    records = (notifications,)
    events = frozenset({Notification.Raised, Notification.Seen, Notification.Resolved})

    def fold(self, event: Stream.Event, position: int, changes: Changes) -> None:
        rows = changes.records[notifications]
        match event:
            case Notification.Raised():
                rows.put(
                    {
                        "notification_id": event.originator_id,
                        "raised_position": position,
                        "kind": event.kind,
                        "state": "new",
                        "order_id": event.order_id,
                        "message": event.message,
                        "action": event.action,
                        "raised_at": event.timestamp,
                    }
                )
            case Notification.Seen():
                rows.change(event.originator_id, state="seen")
            case Notification.Resolved():
                rows.change(event.originator_id, state="resolved")


def find_notifications(
    connection: sa.Connection, *, state: str | None, before: int | None, limit: int
) -> list[dict[str, Any]]:
    """Rows, newest first; one more than the limit if there is a further page."""
    query = sa.select(notifications)
    if state is not None:
        query = query.where(notifications.c.state == state)
    if before is not None:
        query = query.where(notifications.c.raised_position < before)
    query = query.order_by(notifications.c.raised_position.desc()).limit(limit + 1)
    return [dict(row._mapping) for row in connection.execute(query)]


def count_notifications(connection: sa.Connection) -> dict[str, int]:
    """How many are in each state."""
    query = sa.select(notifications.c.state, sa.func.count()).group_by(notifications.c.state)
    return {state: int(number) for state, number in connection.execute(query)}

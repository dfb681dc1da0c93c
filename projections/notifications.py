"""The notifications tab: what people should look at, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from domain.notification import Notification
from projections.catch_up import Recorded, insert_for, metadata
from projections.columns import UtcDateTime

notifications = sa.Table(
    "view_notifications",
    metadata,
    sa.Column("notification_id", sa.Uuid, primary_key=True),
    sa.Column("raised_position", sa.BigInteger, nullable=False, unique=True),
    sa.Column("kind", sa.String(80), nullable=False),
    sa.Column("state", sa.String(10), nullable=False),  # new | seen | resolved
    sa.Column("order_id", sa.Uuid),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("raised_at", UtcDateTime, nullable=False),
)


class Notifications:
    """Keeps `view_notifications`."""

    name = "notifications"

    def fold(self, connection: sa.Connection, batch: Sequence[Recorded]) -> None:
        for recorded in batch:
            event = recorded.event
            match event:
                case Notification.Raised():
                    row = {
                        "notification_id": event.originator_id,
                        "raised_position": recorded.position,
                        "kind": event.kind,
                        "state": "new",
                        "order_id": event.order_id,
                        "message": event.message,
                        "action": event.action,
                        "raised_at": event.timestamp,
                    }
                    connection.execute(insert_for(connection, notifications).values(row).on_conflict_do_nothing())
                case Notification.Seen():
                    _move(connection, event, "seen")
                case Notification.Resolved():
                    _move(connection, event, "resolved")
                case _:
                    pass


def _move(connection: sa.Connection, event: Notification.Seen | Notification.Resolved, state: str) -> None:
    connection.execute(
        notifications.update().where(notifications.c.notification_id == event.originator_id).values(state=state)
    )


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

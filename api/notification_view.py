"""A notification as people see it, from a row of the read model or from its own stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from application.times import utc_text
from domain.notification import Notification


def shown_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Of a row of `view_notifications`."""
    return {
        "id": str(row["notification_id"]),
        "kind": row["kind"],
        "state": row["state"],
        "order_id": str(row["order_id"]) if row["order_id"] else None,
        "message": row["message"],
        "action": row["action"],
        "raised_at": utc_text(row["raised_at"]),
    }


def shown_notification(notification: Notification) -> dict[str, Any]:
    """Of a notification that has been raised."""
    raised = notification.raised
    assert raised is not None
    state = "resolved" if notification.is_resolved else "seen" if notification.is_seen else "new"
    return {
        "id": str(notification.id),
        "kind": raised.kind,
        "state": state,
        "order_id": str(raised.order_id) if raised.order_id else None,
        "message": raised.message,
        "action": raised.action,
        "raised_at": utc_text(raised.timestamp),
    }

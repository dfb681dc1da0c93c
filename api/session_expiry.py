"""When a session ends: seven days after it was created or 72 hours after it was last used, unless it is remembered."""

from __future__ import annotations

from datetime import datetime, timedelta

from application.ports import SessionRecord

LIFETIME = timedelta(days=7)
IDLE_LIMIT = timedelta(hours=72)


def expires_at(session: SessionRecord) -> datetime | None:
    """The last instant at which the session still holds; None for one that is remembered."""
    if session.remember_me:
        return None
    return min(session.created_at + LIFETIME, session.last_used_at + IDLE_LIMIT)


def has_expired(session: SessionRecord, now: datetime) -> bool:
    ends = expires_at(session)
    return ends is not None and now > ends

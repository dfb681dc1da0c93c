"""The views of a session: who is signed in and for how long. Never the token, nor its hash."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from api.session_expiry import expires_at
from application.ports import Role, SessionRecord
from application.times import utc_text


def default(session: SessionRecord) -> dict[str, Any]:
    """Who, in which roles, since when and until when. `expires_at` is null where the session is remembered."""
    user, ends = session.user, expires_at(session)
    return {
        "user_id": user.id,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "designation": user.designation,
        "roles": [_role(role) for role in user.roles],
        "created_at": utc_text(session.created_at),
        "last_used_at": utc_text(session.last_used_at),
        "expires_at": utc_text(ends) if ends else None,
        "remember_me": session.remember_me,
    }


def session_read(session: SessionRecord) -> dict[str, Any]:
    """The default view and the user's own email address."""
    return {**default(session), "email": session.user.email}


def _role(role: Role) -> dict[str, Any]:
    return {"role": role.role} if role.client_id is None else {"role": role.role, "client_id": role.client_id}


SESSION_VIEWS: Mapping[str, Callable[[SessionRecord], dict[str, Any]]] = {
    "default": default,
    "session_read": session_read,
}

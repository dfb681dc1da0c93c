"""What every manual action brings: its actor, its reason, its request."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from starlette.requests import Request

from api.errors import request_id_of
from api.pages.failures import PageError, not_found
from api.pages.shell import viewer_in
from api.reading.params import order_id_of
from application.maintenance import Wisher

MAX_REASON_CHARS = 500


def reason_in(fields: Mapping[str, str]) -> str:
    """The reason of a form. Raises PageError."""
    reason = fields.get("reason", "").strip()
    if not reason or len(reason) > MAX_REASON_CHARS or not reason.isprintable():
        raise PageError(
            400, "A reason is needed", f"Give one line of 1 to {MAX_REASON_CHARS} characters, then send the form again."
        )
    return reason


def wisher_of(request: Request, fields: Mapping[str, str]) -> Wisher:
    """Who acts, why, and by which request. Raises PageError."""
    return Wisher(viewer_in(request).actor, reason_in(fields), request_id_of(request))


def id_in(request: Request, name: str, what: str) -> UUID:
    """An id of the address. Raises PageError."""
    found = order_id_of(request.path_params[name])
    if found is None:
        raise not_found(what)
    return found

"""What an answer of Mandrill means. Only a row for our recipient, with an id and a known status, is a result.

Reasons are slugs: the vendor's texts may echo an address, so they are never kept.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from application.adapters.mandrill.transport import Answered, Unanswered
from application.ports import Email, LookupFailed, MailResult

_CLOCK_SKEW_S: Final = 60.0  # between our clock and theirs

STATUSES: Final = ("sent", "queued", "scheduled", "rejected", "invalid")  # of a send

# what a search calls the state of a message → the status of the send, and the reason
_STATES: Final[dict[str, tuple[str, str | None]]] = {
    "sent": ("sent", None),
    "spam": ("sent", None),  # delivered; the reader complained
    "unsub": ("sent", None),  # delivered; the reader unsubscribed
    "queued": ("queued", None),
    "deferred": ("queued", "deferred"),  # the provider tries again by itself
    "scheduled": ("scheduled", None),
    "bounced": ("rejected", "hard-bounce"),
    "soft-bounced": ("rejected", "soft-bounce"),
    "rejected": ("rejected", None),
    "invalid": ("invalid", None),
}
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z_-]{0,39}")
_MESSAGE_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def send_result(email: Email, answer: Answered | Unanswered) -> MailResult:
    """How a send ended: an error object is a definite no, whatever is not understood may have been sent."""
    if isinstance(answer, Unanswered):
        return MailResult(email.email_id, "unknown" if answer.sent else "not-sent", reason=answer.reason)
    if (name := error_name(answer.body)) is not None:
        return MailResult(email.email_id, "failed", reason=name)
    if answer.http_status != 200:
        return MailResult(email.email_id, "unknown", reason=f"http-{answer.http_status // 100}xx")
    row = _row_for(email.to, answer.body)
    if row is None:
        return MailResult(email.email_id, "unknown", reason="nonsense")
    reason = row.get("queued_reason") if row["status"] == "queued" else row.get("reject_reason")
    return MailResult(email.email_id, row["status"], row["_id"], slug(reason))


def found_message(email_id: str, rows: Sequence[Any], since: datetime) -> MailResult | None:
    """The message among search results, by our id in its metadata; of several the one that succeeded.

    An older message with the same id does not count: somebody has asked for it to be sent again.

    Raises LookupFailed where its state is not known: nothing may be concluded from it.
    """
    first_s = since.timestamp() - _CLOCK_SKEW_S
    own = [_found(email_id, row) for row in rows if _carries(row, email_id) and _sent_at_s(row, first_s) >= first_s]
    return max(own, key=lambda result: result.succeeded, default=None)


def _sent_at_s(row: dict[str, Any], default: float) -> float:
    sent_at = row.get("ts")
    return float(sent_at) if isinstance(sent_at, int | float) else default


def error_name(body: Any) -> str | None:
    """The name of a well-formed error object as a slug (invalid-key, validation-error), or None."""
    if not isinstance(body, dict) or body.get("status") != "error" or not isinstance(body.get("name"), str):
        return None
    return slug(body["name"])


def lookup_body(answer: Answered | Unanswered) -> Any:
    """The body of an answer that can be believed. Raises LookupFailed; `busy` after 429 and 5xx."""
    if isinstance(answer, Unanswered):
        raise LookupFailed(answer.reason)
    name = error_name(answer.body)
    if answer.http_status == 429 or (answer.http_status >= 500 and name != "invalid-key"):
        raise LookupFailed("busy")
    if name is not None:
        raise LookupFailed(name)
    if answer.http_status != 200:
        raise LookupFailed(f"http-{answer.http_status // 100}xx")
    return answer.body


def slug(name: Any) -> str | None:
    """A vendor's word as a slug: ValidationError → validation-error. What does not look like a word is `other`."""
    if name is None:
        return None
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return "other"
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).replace("_", "-").lower()


def _row_for(recipient: str, body: Any) -> dict[str, Any] | None:
    """The one complete row for the recipient; None where there is none, or more than one."""
    rows = [row for row in body if _names(row, recipient)] if isinstance(body, list) else []
    complete = len(rows) == 1 and rows[0].get("status") in STATUSES and _has_id(rows[0])
    return rows[0] if complete else None


def _names(row: Any, recipient: str) -> bool:
    if not isinstance(row, dict) or not isinstance(row.get("email"), str):
        return False
    return bool(row["email"].strip().casefold() == recipient.strip().casefold())


def _has_id(row: dict[str, Any]) -> bool:
    return isinstance(row.get("_id"), str) and _MESSAGE_ID.fullmatch(row["_id"]) is not None


def _carries(row: Any, email_id: str) -> bool:
    metadata = row.get("metadata") if isinstance(row, dict) else None
    return isinstance(metadata, dict) and metadata.get("email_id") == email_id


def _found(email_id: str, row: dict[str, Any]) -> MailResult:
    state = row.get("state")
    if not isinstance(state, str) or state not in _STATES or not _has_id(row):
        raise LookupFailed("nonsense")
    status, reason = _STATES[state]
    return MailResult(email_id, status, row["_id"], reason)

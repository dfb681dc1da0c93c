"""messages/search and messages/info: what became of a message."""

from __future__ import annotations

import re
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from api.sandbox.mandrill.config import MailConfig
from api.sandbox.mandrill.errors import MandrillError, invalid
from api.sandbox.mandrill.outbox import Message, Outbox

DEFAULT_RANGE: Final = timedelta(days=7)
DEFAULT_LIMIT: Final = 100
LIMIT_MAX: Final = 1_000
_TERM: Final = re.compile(r'(?:(?P<field>\w+):)?(?:"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+))')


class Searching:
    """Finds accepted messages, after the index delay, at most so often a minute."""

    def __init__(self, config: MailConfig, outbox: Outbox) -> None:
        self._config = config
        self._outbox = outbox
        self._recent: deque[datetime] = deque()

    def search(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        """The newest matching messages first. Raises MandrillError (ValidationError, TooManyRequests)."""
        now = self._config.clock()
        self._limit_rate(now)
        first, last = _range(body, now)
        indexed_until = now - timedelta(seconds=self._config.index_delay_s)
        terms = _terms(body.get("query"))
        tags, senders = _names(body, "tags"), _names(body, "senders")
        limit = body.get("limit", DEFAULT_LIMIT)
        if type(limit) is not int or limit < 1:
            raise invalid("limit must be a positive integer")
        found = [
            message.as_result()
            for message in reversed(self._outbox.messages())
            if first <= message.accepted_at <= min(last, indexed_until)
            and (not tags or tags & set(message.tags))
            and (not senders or message.sender in senders)
            and all(self._matches(message, field, value) for field, value in terms)
        ]
        return found[: min(limit, LIMIT_MAX)]

    def info(self, body: dict[str, Any]) -> dict[str, Any]:
        """One message by its _id. Raises MandrillError (ValidationError, Unknown_Message)."""
        message_id = body.get("id")
        if not isinstance(message_id, str):
            raise invalid("id must be a string")
        message = self._outbox.find(message_id)
        if message is None:
            raise MandrillError("Unknown_Message", "No message exists with the id given")
        return message.as_result()

    def _limit_rate(self, now: datetime) -> None:
        while self._recent and now - self._recent[0] >= timedelta(minutes=1):
            self._recent.popleft()
        if len(self._recent) >= self._config.searches_per_minute:
            raise MandrillError("TooManyRequests", "Too many searches; wait a minute")
        self._recent.append(now)

    def _matches(self, message: Message, field: str | None, value: str) -> bool:
        """One term. `u_name` asks for metadata, which is searchable only where the account indexes that name."""
        metadata = {
            f"u_{name}": str(known) for name, known in message.metadata.items() if name in self._config.indexed_metadata
        }
        fields = {"email": message.email, "subject": message.subject, "sender": message.sender, "state": message.state}
        fields |= {"tags": " ".join(message.tags)} | metadata
        if field is None:
            return any(value.lower() in known.lower() for known in fields.values())
        return value.lower() in fields.get(field, "").lower()


def _terms(query: Any) -> list[tuple[str | None, str]]:
    """`field:value`, `field:"some words"` and bare words; all must match. The vendor's Lucene syntax has more."""
    if query in (None, "", "*"):
        return []
    if not isinstance(query, str):
        raise invalid("query must be a string")
    found = _TERM.finditer(query.replace(" AND ", " "))
    return [(term["field"], term["phrase"] if term["phrase"] is not None else term["word"]) for term in found]


def _range(body: dict[str, Any], now: datetime) -> tuple[datetime, datetime]:
    """date_from and date_to, each a day or a time, UTC; the last 7 days where none is given."""
    first, last = _instant(body, "date_from"), _instant(body, "date_to")
    if last is not None and len(body["date_to"]) == len("YYYY-MM-DD"):
        last += timedelta(days=1)
    return first or now - DEFAULT_RANGE, last or now


def _instant(body: dict[str, Any], name: str) -> datetime | None:
    value = body.get(name)
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise invalid(f"{name} must be a date") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _names(body: dict[str, Any], name: str) -> set[str]:
    values = body.get(name) or []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise invalid(f"{name} must be an array of strings")
    return set(values)

"""The messages the sandbox has accepted. In memory; every method runs without a pause, so none can interleave."""

from __future__ import annotations

import secrets
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from api.sandbox.mandrill.config import MailConfig
from api.sandbox.mandrill.recipients import Ending


@dataclass
class Message:
    """One message to one recipient. `status` is what the send answered, `state` what a search says."""

    id: str
    email: str
    sender: str
    subject: str
    tags: list[str]
    metadata: dict[str, Any]
    status: str
    state: str
    reason: str | None
    accepted_at: datetime
    text: str | None = field(default=None, repr=False)
    html: str | None = field(default=None, repr=False)

    def as_ledger(self) -> dict[str, Any]:
        """Everything but the bodies."""
        row = asdict(self)
        for name in ("text", "html", "accepted_at"):
            del row[name]
        return {"_id": row.pop("id"), **row, "ts": self.accepted_at.timestamp()}

    def as_result(self) -> dict[str, Any]:
        """A row of messages/search, and the `msg` of a webhook event."""
        return {
            "ts": int(self.accepted_at.timestamp()),
            "_id": self.id,
            "sender": self.sender,
            "template": None,
            "subject": self.subject,
            "email": self.email,
            "tags": self.tags,
            "opens": 0,
            "opens_detail": [],
            "clicks": 0,
            "clicks_detail": [],
            "state": self.state,
            "metadata": self.metadata,
            "smtp_events": [],
            "resends": [],
        }


class Outbox:
    """Accepted messages in order, and how often each was asked for."""

    def __init__(self, config: MailConfig) -> None:
        self._config = config
        self._messages: dict[str, Message] = {}
        self._with_body: deque[Message] = deque()
        self.calls: Counter[str] = Counter()  # sends asked for, by email_id
        self.accepted: Counter[str] = Counter()  # messages accepted, by email_id

    @property
    def full(self) -> bool:
        return len(self._messages) >= self._config.max_messages

    def messages(self) -> list[Message]:
        return list(self._messages.values())

    def find(self, message_id: str) -> Message | None:
        return self._messages.get(message_id)

    def note_call(self, email_id: str) -> int:
        """Count a send that is asked for; answers how many there were before it."""
        before = self.calls[email_id]
        self.calls[email_id] += 1
        return before

    def accept(self, address: str, message: dict[str, Any], ending: Ending) -> Message:
        """Put the message to this recipient into the outbox."""
        kept = Message(
            id=secrets.token_hex(16),  # 32 hex digits, as the vendor's
            email=address,
            sender=message["from_email"],
            subject=message.get("subject") or "",
            tags=list(message.get("tags") or []),
            metadata=dict(message.get("metadata") or {}),
            status=ending.status,
            state=ending.state,
            reason=ending.reason,
            accepted_at=self._config.clock(),
            text=message.get("text"),
            html=message.get("html"),
        )
        self._messages[kept.id] = kept
        self.accepted[email_id_of(message)] += 1
        self._with_body.append(kept)
        if len(self._with_body) > self._config.max_bodies:
            oldest = self._with_body.popleft()
            oldest.text = oldest.html = None
        return kept

    def reset(self) -> None:
        self._messages.clear()
        self._with_body.clear()
        self.calls.clear()
        self.accepted.clear()


def email_id_of(message: dict[str, Any]) -> str:
    """The sender's own id of a message; empty where it gives none."""
    return str((message.get("metadata") or {}).get("email_id", ""))

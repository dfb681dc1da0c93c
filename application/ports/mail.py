"""The mail provider."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True)
class Email:
    """One message to one recipient."""

    email_id: str  # ours, derived from order and recipient; travels in the metadata
    order_id: UUID
    to: str
    subject: str
    text: str
    html: str
    tag: str


@dataclass(frozen=True)
class MailResult:
    """How one send ended.

    status: sent | queued | scheduled (success), rejected | invalid (final), failed (a definite error answer),
    not-sent (nothing reached the provider), unknown (it may have been sent).
    """

    email_id: str
    status: str
    message_id: str | None = None
    reason: str | None = None  # a short slug: the provider's reject_reason or error name, or time-out, ...

    @property
    def succeeded(self) -> bool:
        return self.status in {"sent", "queued", "scheduled"}

    @property
    def final(self) -> bool:
        """No later try can change it."""
        return self.succeeded or self.status in {"rejected", "invalid"}


class Mailer(Protocol):
    """Mandrill, or anything that answers like it."""

    async def send(self, email: Email) -> MailResult:
        """Send one message once. Never raises for a vendor's failure."""
        ...

    async def find(self, email_id: str, *, since: datetime) -> MailResult | None:
        """The message that carries the email_id in its metadata, or None. Raises LookupFailed."""
        ...

    async def check_key(self) -> bool:
        """Whether the provider accepts our key (users/ping). Raises LookupFailed."""
        ...

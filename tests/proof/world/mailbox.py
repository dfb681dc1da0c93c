"""The mail provider: its own books, and the port Mailer as one process sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from application.ports import Email, LookupFailed, MailResult
from tests.proof.world.faults import MailFault

if TYPE_CHECKING:
    from tests.proof.world.process import Process


@dataclass(frozen=True)
class Message:
    """One message that the provider took, or refused for good."""

    id: str
    email_id: str
    order_id: str
    status: str
    accepted_at_s: float
    shows_at_s: float
    needless: bool  # the search had shown an earlier one for a minute when this one came


class Mailbox:
    """Everything that was handed over."""

    def __init__(self) -> None:
        self.messages: dict[str, list[Message]] = {}  # by email_id
        self.taken = 0

    def take(self, email: Email, now_s: float, shows_after_s: float, status: str) -> Message:
        known = self.messages.setdefault(email.email_id, [])
        message = Message(
            id=f"m{email.email_id[:8]}{len(known)}",
            email_id=email.email_id,
            order_id=str(email.order_id),
            status=status,
            accepted_at_s=now_s,
            shows_at_s=now_s + shows_after_s,
            needless=any(earlier.shows_at_s < now_s - 60.0 for earlier in known if earlier.status != "rejected"),
        )
        known.append(message)
        self.taken += 1
        return message


class Mailer:
    """One process's line to the mail provider."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._world = process.world
        self._mailbox = process.world.mailbox
        self._loop = process.world.loop

    async def send(self, email: Email) -> MailResult:
        await self._process.crossing("send", "before")
        fault = self._world.plan.mail()
        if fault is not None:
            self._world.note("mail", fault)
        if "nobody" in email.to:
            fault = MailFault.REJECTED
        taken: Message | None = None
        if fault in (None, MailFault.LOST_ANSWER, MailFault.REJECTED):
            status = "rejected" if fault is MailFault.REJECTED else "sent"
            shows_s = self._world.plan.mail_shows_after_s()
            taken = self._mailbox.take(email, self._loop.now_s, shows_s, status)
        self._process.tell("sends mail", email.email_id[:8], fault or "accepted")
        slow = fault in (MailFault.LOST_ANSWER, MailFault.LOST)
        await self._loop.sleep(5.0 if slow else self._world.plan.vendor_s())
        await self._process.crossing("send", "after")
        match fault:
            case MailFault.LOST_ANSWER | MailFault.LOST:
                return MailResult(email.email_id, "unknown", reason="time-out")
            case MailFault.DOWN:
                return MailResult(email.email_id, "not-sent", reason="connection-refused")
            case MailFault.ERROR:
                return MailResult(email.email_id, "failed", reason="general-error")
        assert taken is not None
        return MailResult(email.email_id, taken.status, taken.id, "hard-bounce" if taken.status == "rejected" else None)

    async def find(self, email_id: str, *, since: datetime) -> MailResult | None:
        await self._process.crossing("search", "before")
        reason = self._world.plan.search()
        await self._loop.sleep(self._world.plan.vendor_s())
        if reason is not None:
            self._world.note("search", reason)
            raise LookupFailed(reason)
        shown = [m for m in self._mailbox.messages.get(email_id, ()) if m.shows_at_s <= self._loop.now_s]
        await self._process.crossing("search", "after")
        self._process.tell("searches mail", email_id[:8], len(shown))
        return MailResult(email_id, shown[0].status, shown[0].id) if shown else None

    async def check_key(self) -> bool:
        return True

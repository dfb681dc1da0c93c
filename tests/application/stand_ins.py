"""The world around the process manager, in memory: every part does what its script says and notes what it was asked.

All parts write to one `timeline`, so that a test can read in which order things were stored and vendors were called.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from application.adapters.recorders import MemoryRecorder
from application.event_log import CommitUnknown, Conflict, StoreUnavailable
from application.ports import (
    Accepted,
    Approved,
    ChargeOutcome,
    ChargeRequest,
    CorrectionOutcome,
    Email,
    GatewayCodes,
    LookupFailed,
    MailResult,
    SettledBatch,
    TransactionDetails,
    TransactionState,
    TransactionSummary,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
APPROVED = GatewayCodes("1", "1", "I00001")

Timeline = list[str | tuple[str, ...]]
Write = Callable[[], Awaitable[int]]
Step = Callable[[Write], Awaitable[int]]
"""What happens to one insert: it may be written, fail, or have something else happen around it."""


class ManualClock:
    """Stands still until somebody sleeps or a test moves it on."""

    def __init__(self) -> None:
        self.moment = NOW
        self.slept_s: list[float] = []

    def now(self) -> datetime:
        return self.moment

    def advance(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.advance(seconds)
        await asyncio.sleep(0)


class CountingIds:
    """Order ids and invoice numbers that count up."""

    def __init__(self) -> None:
        self._orders = 0
        self._invoices = 0

    def order_id(self, at: datetime) -> UUID:
        self._orders += 1
        return UUID(int=self._orders)

    def invoice_number(self) -> str:
        self._invoices += 1
        return f"INV{self._invoices:017d}"


class MemoryKeys:
    """One key per client."""

    async def key(self, client_id: int) -> tuple[str, bytes]:
        return f"key-{client_id}", client_id.to_bytes(32)

    async def find(self, key_id: str) -> bytes | None:
        return int(key_id.removeprefix("key-")).to_bytes(32)

    async def destroy(self, client_id: int) -> bool:
        raise AssertionError("nobody is erased here")


async def written(write: Write) -> int:
    return await write()


async def unavailable(write: Write) -> int:
    raise StoreUnavailable("down")


async def conflict(write: Write) -> int:
    raise Conflict


async def written_but_unknown(write: Write) -> int:
    await write()
    raise CommitUnknown("the answer was lost")


async def not_written_and_unknown(write: Write) -> int:
    raise CommitUnknown("the answer was lost")


def after(first: Callable[[], Awaitable[object]]) -> Step:
    """Something happens between the load and the insert."""

    async def step(write: Write) -> int:
        await first()
        return await write()

    return step


class ScriptedRecorder(MemoryRecorder):
    """Each insert takes the next step of `script`; once that is used up, inserts are written."""

    def __init__(self, timeline: Timeline) -> None:
        super().__init__()
        self.script: deque[Step] = deque()
        self._timeline = timeline

    async def insert(self, events: Sequence[StoredEvent]) -> int:
        async def write() -> int:
            position = await super(ScriptedRecorder, self).insert(events)
            self._timeline.append(tuple(event.topic.removesuffix(".v1") for event in events))
            return position

        step = self.script.popleft() if self.script else written
        return await step(write)


class ScriptedGateway:
    """Approves unless `outcomes` says otherwise; knows the transactions in `known`; voids only if `voids` is set."""

    def __init__(self, timeline: Timeline) -> None:
        self.outcomes: deque[ChargeOutcome] = deque()
        self.charges: list[ChargeRequest] = []
        self.while_charging: Callable[[], Awaitable[object]] | None = None
        self.known: dict[str, TransactionDetails] = {}
        self.lookup_failure: LookupFailed | None = None
        self.lookups: list[tuple[str, str | None, datetime]] = []
        self.voids = True
        self.void_answer: CorrectionOutcome | None = None
        self._timeline = timeline

    async def charge(self, request: ChargeRequest) -> ChargeOutcome:
        self._timeline.append("gateway.charge")
        self.charges.append(request)
        number = len(self.charges)
        if self.while_charging is not None:
            await self.while_charging()
        await asyncio.sleep(0)
        return self.outcomes.popleft() if self.outcomes else Approved(f"{60_000 + number}", "000123", APPROVED)

    async def find_by_invoice(
        self, invoice_number: str, *, customer_profile_id: str | None, since: datetime
    ) -> list[TransactionSummary]:
        self._timeline.append("gateway.find")
        self.lookups.append((invoice_number, customer_profile_id, since))
        if self.lookup_failure:
            raise self.lookup_failure
        return [
            TransactionSummary(d.transaction_id, d.state, d.status, d.invoice_number, d.amount_cents, d.submitted_at)
            for d in self.known.values()
        ]

    async def details(self, transaction_id: str) -> TransactionDetails | None:
        self._timeline.append("gateway.details")
        if self.lookup_failure:
            raise self.lookup_failure
        return self.known.get(transaction_id)

    async def void(self, transaction_id: str) -> CorrectionOutcome:
        self._timeline.append("gateway.void")
        if self.voids and transaction_id in self.known:
            voided = replace(self.known[transaction_id], state=TransactionState.VOIDED, status="voided")
            self.known[transaction_id] = voided
        return self.void_answer or Accepted(transaction_id, APPROVED)

    async def unsettled(self) -> list[TransactionSummary]:
        raise AssertionError("not asked on the money path")

    async def settled_batches(self, first: datetime, last: datetime) -> list[SettledBatch]:
        raise AssertionError("not asked on the money path")

    async def batch_transactions(self, batch_id: str) -> list[TransactionSummary]:
        raise AssertionError("not asked on the money path")

    async def refund(
        self, transaction_id: str, amount_cents: int, last4: str, invoice_number: str
    ) -> CorrectionOutcome:
        raise AssertionError("not asked on the money path")

    async def decline_held(self, transaction_id: str) -> CorrectionOutcome:
        raise AssertionError("not asked on the money path")

    async def check_keys(self) -> bool:
        raise AssertionError("not asked on the money path")


class ScriptedMailer:
    """Sends everything, except that mail to an address in `endings` ends as that says."""

    def __init__(self, timeline: Timeline) -> None:
        self.sent: list[Email] = []
        self.endings: dict[str, tuple[str, str | None]] = {}  # address → status, reason
        self.while_sending: Callable[[], Awaitable[object]] | None = None
        self._timeline = timeline

    async def send(self, email: Email) -> MailResult:
        self._timeline.append("mailer.send")
        self.sent.append(email)
        if self.while_sending is not None:
            await self.while_sending()
        await asyncio.sleep(0)
        status, reason = self.endings.get(email.to, ("sent", None))
        return MailResult(email.email_id, status, f"m{len(self.sent)}" if status == "sent" else None, reason)

    async def find(self, email_id: str, *, since: datetime) -> MailResult | None:
        raise AssertionError("the money path never searches")

    async def check_key(self) -> bool:
        raise AssertionError("not asked on the money path")

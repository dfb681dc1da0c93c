"""SettlementBreak: one disagreement between the log and what the gateway settled, until somebody has dealt with it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from domain.stream import Metadata, Stream


class BreakClass(StrEnum):
    """What kind of disagreement it is; a stored word."""

    AMOUNT_DIFFERS = "amount-differs"
    MISSING_HERE = "missing-here"  # the gateway settled what the log does not know, or knows as voided
    MISSING_THERE = "missing-there"  # the log knows money that the gateway has not settled in time
    DUPLICATE = "duplicate"
    LATE = "late"
    RETURNED = "returned"  # a returned item: the bank did not pay
    CHARGED_BACK = "charged-back"
    BATCH_TOTAL_DIFFERS = "batch-total-differs"  # a batch's rows do not add up to its own statistics


class SettlementBreak(Stream):
    """One per class, transaction and batch: found, owned by somebody, resolved by a person or mended by itself."""

    class Event(Stream.Event):
        pass

    class Found(Event):
        TOPIC = "settlement-break.found.v1"

        classification: BreakClass
        transaction_id: str | None  # None for a whole batch
        batch_id: str | None  # None while the gateway has not settled it
        invoice_number: str | None
        order_id: UUID | None
        ours_cents: int | None
        theirs_cents: int | None
        happened_at: datetime  # settled at the gateway; charged or refunded here where it has not settled
        cause: str  # for people: why the two disagree; no personal data
        next_command: str  # for people: what to type next

        def apply(self, settlement_break: SettlementBreak) -> None:
            settlement_break.found = self
            settlement_break.owner = settlement_break.resolved = None

    class Owned(Event):
        """Somebody has taken it on."""

        TOPIC = "settlement-break.owned.v1"

        owner: str
        reason: str

        def apply(self, settlement_break: SettlementBreak) -> None:
            settlement_break.owner = self.owner

    class Resolved(Event):
        """A person has dealt with it. Final: it is not found again."""

        TOPIC = "settlement-break.resolved.v1"

        reason: str

        def apply(self, settlement_break: SettlementBreak) -> None:
            settlement_break.resolved = self

    class Mended(Event):
        """A later comparison shows that it holds no longer. It is found again if it comes back."""

        TOPIC = "settlement-break.mended.v1"

        reason: str

        def apply(self, settlement_break: SettlementBreak) -> None:
            settlement_break.resolved = self

    def __init__(self) -> None:
        self.found: SettlementBreak.Found | None = None
        self.owner: str | None = None
        self.resolved: SettlementBreak.Resolved | SettlementBreak.Mended | None = None

    @property
    def state(self) -> str:
        """open | owned | resolved"""
        return "resolved" if self.resolved else "owned" if self.owner else "open"

    def find(self, metadata: Metadata, **facts: Any) -> None:
        """Take the facts of `Found`. Finding it again changes nothing, but where it had mended by itself."""
        if self.found is None or isinstance(self.resolved, self.Mended):
            self.record(metadata, self.Found, **facts)

    def own(self, metadata: Metadata, owner: str, reason: str) -> None:
        if self.found and not self.resolved and self.owner != owner:
            self.record(metadata, self.Owned, owner=owner, reason=reason)

    def resolve(self, metadata: Metadata, reason: str) -> None:
        if self.found and not self.resolved:
            self.record(metadata, self.Resolved, reason=reason)

    def mend(self, metadata: Metadata, reason: str) -> None:
        if self.found and not self.resolved:
            self.record(metadata, self.Mended, reason=reason)

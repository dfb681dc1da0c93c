"""What the gateway settled: closed batches and the transactions in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from domain.settlement import SettledTransaction

SETTLED: Final = "settledSuccessfully"  # the settlementState of a batch that is closed and paid out


@dataclass(frozen=True)
class BatchHeader:
    """One settlement batch as the gateway lists it, with its statistics over all kinds of cards."""

    batch_id: str
    settled_at: datetime
    state: str  # settlementState, the gateway's own word
    charged_cents: int
    refunded_cents: int  # positive
    answer: bytes  # raw, of the list that it was read from


@dataclass(frozen=True)
class BatchContents:
    """What a batch moved: charges, refunds, chargebacks and returned items; not what was declined or voided."""

    transactions: list[SettledTransaction]
    answers_sha256: str  # SHA-256 over the raw answers, the list's first, each after its length (8 bytes, big endian)


class Settlements(Protocol):
    async def batches(self, first: datetime, last: datetime) -> list[BatchHeader]:
        """Batches settled in the range, ends included, oldest first; in whatever state. Raises LookupFailed."""
        ...

    async def contents(self, batch: BatchHeader) -> BatchContents:
        """Everything in the batch, over all pages: complete, or LookupFailed is raised."""
        ...

    async def close(self) -> None:
        """Let go of the connections."""
        ...

"""SettlementBatch: one batch in which the gateway settled transactions, as it reported them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from domain.stream import Metadata, Stream


@dataclass(frozen=True)
class SettledTransaction:
    """One transaction of a settled batch."""

    transaction_id: str
    invoice_number: str | None
    kind: str  # charge | refund | chargeback | returned
    status: str  # transactionStatus, the gateway's own word
    amount_cents: int  # positive; the kind says which way it goes
    submitted_at: datetime


class SettlementBatch(Stream):
    """One per batch id. Source: Authorize.net API reference, getSettledBatchList and getTransactionList."""

    class Event(Stream.Event):
        pass

    class Settled(Event):
        """The batch's header; its transactions follow, in the same save where one save can hold them."""

        TOPIC = "settlement.batch-settled.v1"

        batch_id: str
        settled_at: datetime  # settlementTimeUTC: the effective time
        state: str  # settlementState, the gateway's own word
        charged_cents: int
        refunded_cents: int  # positive
        transactions: int
        answers_sha256: str  # of the raw answers that this was read from, in their order

        def apply(self, batch: SettlementBatch) -> None:
            batch.settled = self

    class TransactionSettled(Event):
        TOPIC = "settlement.transaction-settled.v1"

        batch_id: str
        transaction_id: str
        invoice_number: str | None
        kind: str
        status: str
        amount_cents: int
        submitted_at: datetime
        settled_at: datetime

        def apply(self, batch: SettlementBatch) -> None:
            batch.recorded += 1

    def __init__(self) -> None:
        self.settled: SettlementBatch.Settled | None = None
        self.recorded = 0

    @property
    def complete(self) -> bool:
        """Header and all transactions are taken in."""
        return self.settled is not None and self.recorded == self.settled.transactions

    def import_once(
        self,
        metadata: Metadata,
        transactions: Sequence[SettledTransaction],
        *,
        most: int | None = None,
        **header: Any,
    ) -> None:
        """Take the batch in, or the next part of it: at most `most` transactions. Importing a complete one again
        changes nothing. The transactions are the same, in the same order, each time."""
        if self.settled is None:
            self.record(metadata, self.Settled, transactions=len(transactions), **header)
        start = self.recorded
        for transaction in transactions[start : None if most is None else start + most]:
            self.record(
                metadata,
                self.TransactionSettled,
                batch_id=header["batch_id"],
                settled_at=header["settled_at"],
                **asdict(transaction),
            )

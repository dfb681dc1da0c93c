"""What happened to money at the sandbox gateway. In memory; no method pauses, so none can interleave."""

from __future__ import annotations

import random
import string
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from api.sandbox.authorizenet.codes import HELD_STATUSES
from api.sandbox.authorizenet.config import GatewayConfig

_SETTLES_AS = {
    "capturedPendingSettlement": "settledSuccessfully",
    "refundPendingSettlement": "refundSettledSuccessfully",
}
_KEPT_NOTHING = frozenset({"declined", "voided"})
_AS_THEY_ARE = frozenset(
    {"chargeback", "returnedItem", "chargebackReversal"}
)  # they enter a batch in their last status


class LedgerFull(Exception):
    """The ledger holds as many transactions as its configuration allows."""


@dataclass
class Transaction:
    """One transaction. `amount_cents` is what was authorized, `status` the gateway's own word."""

    id: str
    type: str  # authCaptureTransaction | refundTransaction
    status: str
    amount_cents: int
    submitted_at: datetime
    response_code: int
    reason_code: int
    auth_code: str = ""
    requested_cents: int | None = None  # where only a part was approved
    invoice_number: str | None = None
    description: str | None = None
    customer_profile_id: str | None = None
    payment_profile_id: str | None = None
    ref_id: str | None = None  # the caller's refId
    ref_trans_id: str | None = None  # of a refund: the charge
    held_as: str | None = None  # the status in which it was held, if it ever was
    batch_id: str | None = None
    settled_cents: int | None = None  # planted: settles as another amount
    not_before: datetime | None = None  # planted: no batch takes it earlier
    history: list[dict[str, str]] = field(default_factory=list)

    @property
    def held(self) -> bool:
        return self.status in HELD_STATUSES

    @property
    def settle_cents(self) -> int:
        """What is, or will be, settled: nothing of a declined or voided transaction."""
        if self.status in _KEPT_NOTHING:
            return 0
        return self.amount_cents if self.settled_cents is None else self.settled_cents

    def can_settle(self, at: datetime) -> bool:
        """A batch that closes then takes it."""
        closed = self.status in _SETTLES_AS or self.status in _KEPT_NOTHING or self.status in _AS_THEY_ARE
        return closed and (self.not_before is None or at >= self.not_before)

    def become(self, status: str, event: str, at: datetime) -> None:
        self.status = status
        self.history.append({"event": event, "status": status, "at": at.isoformat()})


@dataclass(frozen=True)
class Batch:
    id: str
    settled_at: datetime
    transactions: tuple[Transaction, ...]


class Ledger:
    """All transactions and batches, oldest first, and how often each operation was called."""

    def __init__(self, config: GatewayConfig) -> None:
        self._config = config
        self._random = random.Random(config.seed)  # noqa: S311  # ids to look at, not secrets
        self._next_id = self._random.randrange(40_000_000_000, 60_000_000_000)
        self.reset()

    def reset(self) -> None:
        """Forget everything but the ids that were given out."""
        self._transactions: dict[str, Transaction] = {}
        self._latest_by_key: dict[tuple[str | None, ...], Transaction] = {}
        self._refunds: defaultdict[str, list[Transaction]] = defaultdict(list)
        self.batches: dict[str, Batch] = {}
        self.again: list[Transaction] = []  # planted: the next batch takes them a second time
        self.calls: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Transaction]:
        return iter(self._transactions.values())

    def now(self) -> datetime:
        return self._config.clock()

    def new_id(self) -> str:
        """A transaction or batch id: 11 digits, growing with time as the gateway's do."""
        self._next_id += self._random.randrange(1, 40)
        return str(self._next_id)

    def new_auth_code(self) -> str:
        """Six characters; about half of them are digits only, and leading zeros happen."""
        if self._random.random() < 0.5:
            return f"{self._random.randrange(1_000_000):06d}"
        return "".join(self._random.choices(string.ascii_uppercase + string.digits, k=6))

    def add(self, transaction: Transaction, *, key: tuple[str | None, ...] | None = None) -> None:
        """Record a new transaction; `key` finds it again as the original of a duplicate. Raises LedgerFull."""
        if len(self._transactions) >= self._config.max_transactions:
            raise LedgerFull
        transaction.history.append(
            {"event": "created", "status": transaction.status, "at": transaction.submitted_at.isoformat()}
        )
        self._transactions[transaction.id] = transaction
        if key is not None:
            self._latest_by_key[key] = transaction
        if transaction.ref_trans_id is not None:
            self._refunds[transaction.ref_trans_id].append(transaction)

    def find(self, transaction_id: str | None) -> Transaction | None:
        return self._transactions.get(transaction_id or "")

    def duplicate_of(self, key: tuple[str | None, ...], window_s: int) -> Transaction | None:
        """The original with the same key, approved or not, submitted less than window_s seconds ago."""
        original = self._latest_by_key.get(key)
        if original is None or self.now() - original.submitted_at >= timedelta(seconds=window_s):
            return None
        return original

    def refunded_cents(self, charge: Transaction) -> int:
        return sum(refund.settle_cents for refund in self._refunds[charge.id])

    def settle(self) -> Batch | None:
        """Close the open transactions into a batch, with the declined and voided ones; held ones stay.

        None where there is nothing to close.
        """
        now = self.now()
        fresh = [t for t in self if t.batch_id is None and t.can_settle(now)]
        ready = (*fresh, *self.again)
        if not ready:
            return None
        self.again = []
        batch = Batch(self.new_id(), now, ready)
        for transaction in fresh:
            transaction.batch_id = batch.id
            if transaction.status in _SETTLES_AS:
                transaction.become(_SETTLES_AS[transaction.status], "settled", batch.settled_at)
        self.batches[batch.id] = batch
        return batch

    def as_json(self) -> dict[str, Any]:
        return {
            "transactions": [_transaction_json(t) for t in self],
            "batches": [
                {"batchId": b.id, "settled_at": b.settled_at.isoformat(), "transactions": len(b.transactions)}
                for b in self.batches.values()
            ],
            "calls": dict(self.calls),
        }


def _transaction_json(transaction: Transaction) -> dict[str, Any]:
    """One row of GET /_ledger: the wire's names where the wire has one."""
    return {
        "transId": transaction.id,
        "type": transaction.type,
        "status": transaction.status,
        "invoiceNumber": transaction.invoice_number,
        "amount_cents": transaction.amount_cents,
        "customerProfileId": transaction.customer_profile_id,
        "customerPaymentProfileId": transaction.payment_profile_id,
        "refId": transaction.ref_id,
        "refTransId": transaction.ref_trans_id,
        "authCode": transaction.auth_code,
        "batchId": transaction.batch_id,
        "submitted_at": transaction.submitted_at.isoformat(),
        "history": transaction.history,
    }

"""The gateway's own books: what it holds, kept, voided, settled and gave back. The oracle; our log is never asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from application.ports import ChargeRequest
from application.ports import TransactionState as State

DUPLICATE_WINDOW_S = 28_800.0
WORDS = {
    State.AUTHORIZED_ONLY: "authorizedPendingCapture",
    State.CAPTURED: "capturedPendingSettlement",
    State.SETTLED: "settledSuccessfully",
    State.HELD: "FDSPendingReview",
    State.DECLINED: "declined",
    State.VOIDED: "voided",
    State.REFUND: "refundPendingSettlement",
}


@dataclass
class Transaction:
    """One row. Times are virtual seconds; it shows in lookups from `shows_at_s` on."""

    id: str
    state: State
    invoice_number: str
    amount_cents: int
    customer_profile_id: str
    payment_profile_id: str
    landed_at_s: float
    shows_at_s: float
    asked_cents: int = 0  # what the charge asked for
    promised: bool = False  # it shows within the time that the engine assumes
    came_in: bool = False  # it was captured once, whatever became of it
    batch_id: str | None = None
    refund_of: str | None = None
    refunded_cents: int = 0
    refunds: int = 0

    @property
    def kept(self) -> bool:
        """Its money is ours now or will be."""
        return self.state in (State.CAPTURED, State.SETTLED) and not self.refunded_cents

    @property
    def open(self) -> bool:
        """It may still become money, or blocks the card."""
        return self.state in (State.HELD, State.AUTHORIZED_ONLY)


@dataclass(frozen=True)
class ChargeCall:
    """One call of `charge`, as the gateway's front door saw it."""

    invoice_number: str
    amount_cents: int
    at_s: float
    intent_stored: bool
    late_s: float  # how long after the clock was read for the intent, by the clock of the caller


class Ledger:
    """All transactions, and every charge call that was made."""

    def __init__(self, first_id: int) -> None:
        self._next_id = first_id
        self.transactions: dict[str, Transaction] = {}
        self.of_invoice: dict[str, list[Transaction]] = {}
        self.calls: list[ChargeCall] = []
        self.batches: list[tuple[str, float]] = []  # id, time of settlement
        self.unsettled: dict[str, Transaction] = {}
        self.of_batch: dict[str, list[Transaction]] = {}
        self.changes = 0

    def original(self, request: ChargeRequest, now_s: float) -> Transaction | None:
        """The transaction that a repeat of the same charge within eight hours is a duplicate of."""
        for row in self.of_invoice.get(request.invoice_number, ()):
            if row.asked_cents == request.amount_cents and now_s - row.landed_at_s < DUPLICATE_WINDOW_S:
                return row
        return None

    def land(
        self, request: ChargeRequest, state: State, now_s: float, *, shows_after_s: float, promised: bool
    ) -> Transaction:
        """Record a charge. An authorisation only is one of a part of the amount."""
        part = state is State.AUTHORIZED_ONLY
        row = Transaction(
            id=self._id(),
            state=state,
            invoice_number=request.invoice_number,
            amount_cents=request.amount_cents // 2 if part else request.amount_cents,
            customer_profile_id=request.customer_profile_id,
            payment_profile_id=request.payment_profile_id,
            landed_at_s=now_s,
            shows_at_s=now_s + shows_after_s,
            asked_cents=request.amount_cents,
            promised=promised,
            came_in=state is State.CAPTURED,
        )
        self._add(row)
        return row

    def change(self, row: Transaction, state: State) -> None:
        row.state = state
        row.came_in |= state is State.CAPTURED
        self.changes += 1

    def give_back(self, row: Transaction, amount_cents: int, invoice_number: str, now_s: float, shows_s: float) -> None:
        """Record a refund."""
        row.refunded_cents += amount_cents
        row.refunds += 1
        refund = Transaction(
            id=self._id(),
            state=State.REFUND,
            invoice_number=invoice_number,
            amount_cents=amount_cents,
            customer_profile_id=row.customer_profile_id,
            payment_profile_id=row.payment_profile_id,
            landed_at_s=now_s,
            shows_at_s=now_s + shows_s,
            refund_of=row.id,
        )
        self._add(refund)

    def settle(self, now_s: float) -> None:
        """Settle what has been captured."""
        rows = [row for row in self.unsettled.values() if row.state is State.CAPTURED]
        if not rows:
            return
        batch_id = self._id()
        self.batches.append((batch_id, now_s))
        self.of_batch[batch_id] = rows
        for row in rows:
            row.state, row.batch_id = State.SETTLED, batch_id
            del self.unsettled[row.id]
        self.changes += 1

    def kept(self, matches: Callable[[Transaction], bool] = lambda _: True) -> Iterator[Transaction]:
        return (row for row in self.transactions.values() if row.kept and matches(row))

    def _add(self, row: Transaction) -> None:
        self.transactions[row.id] = self.unsettled[row.id] = row
        self.of_invoice.setdefault(row.invoice_number, []).append(row)
        self.changes += 1

    def _id(self) -> str:
        self._next_id += 1
        return str(self._next_id)

"""Both sides of the comparison, gathered event by event: what we know of money, and what the gateway settled.

Of a charge that settled as it should before the days that are compared, only its name is kept: nothing more can come of
it than a dispute, a second settlement or a void that comes too late.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from application.audit.reconciliation.importing import PAGE, Progress
from application.event_codec import event_classes_of
from application.event_log import EventLog
from domain.order import Order
from domain.orphan_charge import OrphanCharge
from domain.settlement import SettlementBatch
from domain.settlement_break import SettlementBreak
from domain.stream import Stream

REFUNDED_BY = "refunded-by-"  # how an orphan was taken back, when it was by a refund; its transaction id follows


class Standing(Enum):
    """Why the log knows a charge."""

    KEPT = "kept"  # an order was submitted with it
    UNEXPECTED = "unexpected"  # an order must not keep it
    ORPHAN = "orphan"  # no order names it


@dataclass(slots=True)
class OurCharge:
    transaction_id: str
    order_id: UUID | None
    invoice_number: str | None
    amount_cents: int
    at: datetime  # recorded
    standing: Standing = Standing.KEPT
    voided: bool = False  # nothing is kept, and nothing was to settle
    refunded: bool = False


@dataclass(frozen=True, slots=True)
class OurRefund:
    transaction_id: str  # of the refund
    order_id: UUID | None
    invoice_number: str | None
    amount_cents: int
    at: datetime


@dataclass(frozen=True, slots=True)
class SettledRow:
    """One transaction in one batch."""

    batch_id: str
    transaction_id: str
    invoice_number: str | None
    kind: str  # charge | refund | chargeback | returned
    status: str
    amount_cents: int
    submitted_at: datetime
    settled_at: datetime


@dataclass(slots=True)
class BatchTotals:
    """What a batch says of itself, less what its rows add up to: both zero where the two agree."""

    batch_id: str
    settled_at: datetime
    charged_cents: int
    refunded_cents: int
    charged_rest_cents: int
    refunded_rest_cents: int
    rows_missing: int = 0  # while it is being imported, or when that was broken off


@dataclass
class Books:
    """The two sides up to one position of the log, and the breaks found so far."""

    forget_before: datetime | None = None  # what settled before it, rightly, is only named in `settled`
    grace: timedelta = timedelta()  # settling rightly takes no longer
    keep: frozenset[str] = frozenset()  # transactions that are never forgotten
    missed: set[str] = field(default_factory=set)  # that should not have been forgotten
    position: int = 0
    charges: dict[str, OurCharge] = field(default_factory=dict)  # by transaction id
    refunds: dict[str, OurRefund] = field(default_factory=dict)  # by transaction id
    attempts: dict[UUID, str] = field(default_factory=dict)  # the invoice number of each order's attempt
    refund_invoices: dict[str, UUID | None] = field(default_factory=dict)  # asked for, by whichever order
    rows: list[SettledRow] = field(default_factory=list)
    batches: dict[str, BatchTotals] = field(default_factory=dict)
    settled: dict[str, UUID] = field(default_factory=dict)  # the order by transaction, where no more is kept of both
    breaks: dict[UUID, SettlementBreak] = field(default_factory=dict)
    _in_breaks: set[str] = field(default_factory=set)  # transactions
    _orphans: dict[UUID, str] = field(default_factory=dict)  # transaction id by stream

    def take(self, event: Stream.Event) -> None:
        """Fold one event in."""
        match event:
            case Order.Event():
                self._take_order(event)
            case OrphanCharge.Event():
                self._take_orphan(event)
            case SettlementBatch.Event():
                self._take_settled(event)
            case SettlementBreak.Event():
                stream_id = event.originator_id
                found = self.breaks.setdefault(stream_id, SettlementBreak.empty(stream_id))
                event.mutate(found)
                if isinstance(event, SettlementBreak.Found) and event.transaction_id is not None:
                    self._in_breaks.add(event.transaction_id)

    def _take_order(self, event: Order.Event) -> None:
        order_id = event.originator_id
        invoice_number = self.attempts.get(order_id)
        match event:
            case Order.PaymentAttempted():
                self.attempts[order_id] = event.invoice_number
            case Order.PaymentCharged(transaction_id=charged, amount_cents=cents):
                self.charges[charged] = OurCharge(charged, order_id, invoice_number, cents, event.timestamp)
            case Order.VoidRequested() | Order.RefundRequested():
                if event.unexpected and not (
                    event.transaction_id in self.charges or event.transaction_id in self.settled
                ):
                    self.charges[event.transaction_id] = OurCharge(
                        event.transaction_id,
                        order_id,
                        invoice_number,
                        event.amount_cents,
                        event.timestamp,
                        Standing.UNEXPECTED,
                    )
                if isinstance(event, Order.RefundRequested):
                    self.refund_invoices[event.refund_invoice_number] = order_id
            case Order.PaymentVoided(transaction_id=voided):
                if voided in self.settled:
                    self.missed.add(voided)
                else:
                    self.charges[voided].voided = True
            case Order.PaymentRefunded(refund_transaction_id=refund, amount_cents=cents):
                if event.transaction_id not in self.settled:
                    self.charges[event.transaction_id].refunded = True
                self.refunds[refund] = OurRefund(refund, order_id, invoice_number, cents, event.timestamp)

    def _take_orphan(self, event: OrphanCharge.Event) -> None:
        match event:
            case OrphanCharge.Found(transaction_id=found, invoice_number=invoice_number, amount_cents=cents):
                self._orphans[event.originator_id] = found
                self.charges[found] = OurCharge(found, None, invoice_number, cents, event.submitted_at, Standing.ORPHAN)
            case OrphanCharge.RefundRequested():
                self.refund_invoices[event.refund_invoice_number] = None
            case OrphanCharge.TakenBack(how=how):
                charge = self.charges[self._orphans[event.originator_id]]
                charge.refunded = how.startswith(REFUNDED_BY)
                charge.voided = not charge.refunded
                if charge.refunded:
                    refund = how.removeprefix(REFUNDED_BY)
                    self.refunds[refund] = OurRefund(
                        refund, None, charge.invoice_number, charge.amount_cents, event.timestamp
                    )

    def _take_settled(self, event: SettlementBatch.Event) -> None:
        match event:
            case SettlementBatch.Settled(charged_cents=charged, refunded_cents=refunded):
                self.batches[event.batch_id] = BatchTotals(
                    event.batch_id, event.settled_at, charged, refunded, charged, refunded, event.transactions
                )
            case SettlementBatch.TransactionSettled():
                totals = self.batches[event.batch_id]
                totals.rows_missing -= 1
                if event.status == "settledSuccessfully":
                    totals.charged_rest_cents -= event.amount_cents
                elif event.kind == "refund":
                    totals.refunded_rest_cents -= event.amount_cents
                if (order_id := self._done_with(event)) is not None:
                    del self.charges[event.transaction_id]
                    self.settled[event.transaction_id] = order_id
                    return
                self.rows.append(
                    SettledRow(
                        event.batch_id,
                        event.transaction_id,
                        event.invoice_number,
                        event.kind,
                        event.status,
                        event.amount_cents,
                        event.submitted_at,
                        event.settled_at,
                    )
                )

    def _done_with(self, event: SettlementBatch.TransactionSettled) -> UUID | None:
        """The order whose charge settled rightly and long ago; None for all else, of which more must be kept."""
        charge, name = self.charges.get(event.transaction_id), event.transaction_id
        if self.forget_before is None or event.settled_at >= self.forget_before or charge is None:
            return None
        right = (
            (event.kind, event.status) == ("charge", "settledSuccessfully")
            and (charge.standing, charge.voided, charge.amount_cents) == (Standing.KEPT, False, event.amount_cents)
            and event.settled_at - event.submitted_at <= self.grace
            and name not in self.keep
            and name not in self._in_breaks
        )
        return charge.order_id if right else None


READ = (
    Order.PaymentAttempted,
    Order.PaymentCharged,
    Order.VoidRequested,
    Order.RefundRequested,
    Order.PaymentVoided,
    Order.PaymentRefunded,
    *event_classes_of(OrphanCharge, SettlementBatch, SettlementBreak),
)


async def read_books(events: EventLog, progress: Progress, first: datetime, grace: timedelta) -> Books:
    """One scan of the log up to where it ends now, for a comparison from `first` on.

    A second one where a charge was voided long after it had settled. Raises StoreUnavailable, UnknownTopic,
    CorruptEvent.
    """
    books = await _scanned(events, progress, Books(first - grace, grace))
    if books.missed:
        books = await _scanned(events, progress, Books(first - grace, grace, frozenset(books.missed)))
    return books


async def _scanned(events: EventLog, progress: Progress, books: Books) -> Books:
    head = await events.recorder.max_position()
    topics = [event_class.TOPIC for event_class in READ]  # type: ignore[attr-defined]
    while books.position < head:
        page = await events.recorder.notifications(books.position + 1, PAGE, topics)
        for stored in page:
            if stored.id <= head:
                books.take(events.codec.decode(stored))
        books.position = min(page[-1].id, head) if len(page) == PAGE else head
        progress("reading the log", books.position, head)
    return books

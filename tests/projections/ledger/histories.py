"""Histories with all that touches money: orders with every ending, orphan charges, and what the gateway settled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.order import Order
from domain.orphan_charge import OrphanCharge
from domain.settlement import SettledTransaction, SettlementBatch
from domain.stream import Metadata, Stream
from tests.projections.histories import START

SETTLED = {
    "charge": "settledSuccessfully",
    "refund": "refundSettledSuccessfully",
    "chargeback": "chargeback",
    "returned": "returnedItem",
}


@dataclass(frozen=True)
class Orphan:
    """A charge that no order names. `how` it is taken back; None: not yet."""

    how: str | None = "voided"
    amount_cents: int = 4_200


def orphan_events(number: int, orphan: Orphan) -> list[Stream.Event]:
    stream, at = OrphanCharge.empty(UUID(int=(5 << 80) + number)), START + timedelta(hours=number % 100)
    stream.find(
        _by("system:reconciler", at),
        transaction_id=f"5{number:09}",
        invoice_number=None,
        amount_cents=orphan.amount_cents,
        status="capturedPendingSettlement",
        submitted_at=at - timedelta(hours=1),
    )
    stream.request_void(_by("system:reconciler", at))
    if orphan.how is not None:
        how = f"refunded-by-4{number:09}" if orphan.how == "refunded" else orphan.how
        stream.record_taken_back(_by("system:reconciler", at + timedelta(seconds=3)), how)
    return list(stream.collect_events())  # type: ignore[arg-type]


def batch_events(number: int, at: datetime, rows: Sequence[SettledTransaction]) -> list[Stream.Event]:
    """A batch that the gateway settled at a time, read an hour later."""
    batch = SettlementBatch.empty(UUID(int=(6 << 80) + number))
    batch.import_once(
        _by("system:reconciliation", at + timedelta(hours=1)),
        rows,
        batch_id=f"{number:07}",
        settled_at=at,
        state="settledSuccessfully",
        charged_cents=sum(row.amount_cents for row in rows if row.kind == "charge"),
        refunded_cents=sum(row.amount_cents for row in rows if row.kind == "refund"),
        answers_sha256="0" * 64,
    )
    return list(batch.collect_events())  # type: ignore[arg-type]


def settleable(events: Iterable[Stream.Event]) -> Iterator[SettledTransaction]:
    """The charges and refunds of the events, as the gateway will settle them, unless they are voided."""
    events = list(events)
    voided = {event.transaction_id for event in events if isinstance(event, Order.PaymentVoided)}
    for event in events:
        match event:
            case Order.PaymentCharged(transaction_id=item) if item not in voided:
                yield settled("charge", item, event.amount_cents)
            case Order.PaymentRefunded(refund_transaction_id=item):
                yield settled("refund", item, event.amount_cents)
            case _:
                pass


def settled(
    kind: str, transaction_id: str, amount_cents: int, status: str | None = None, invoice_number: str | None = None
) -> SettledTransaction:
    return SettledTransaction(transaction_id, invoice_number, kind, status or SETTLED[kind], amount_cents, START)


def clearing_items(events: Iterable[Stream.Event]) -> dict[str, int]:
    """What clearing should hold, transaction by transaction; with no code of the ledger. Zeros are left out."""
    items: dict[str, int] = {}
    orphans: dict[UUID, tuple[str, int]] = {}

    def add(item: str, cents: int) -> None:
        items[item] = items.get(item, 0) + cents

    for event in events:
        match event:
            case Order.PaymentCharged(transaction_id=item, amount_cents=cents):
                add(item, cents)
            case Order.VoidRequested(transaction_id=item, amount_cents=cents, unexpected=True):
                add(item, cents)
            case Order.PaymentVoided(transaction_id=item, amount_cents=cents):
                add(item, -cents)
            case Order.PaymentRefunded(refund_transaction_id=item, amount_cents=cents):
                add(item, -cents)
            case OrphanCharge.Found(transaction_id=item, amount_cents=cents):
                orphans[event.originator_id] = (item, cents)
                add(item, cents)
            case OrphanCharge.TakenBack(how=how):
                item, cents = orphans[event.originator_id]
                add(how.rpartition("refunded-by-")[2] if "refunded-by-" in how else item, -cents)
            case SettlementBatch.TransactionSettled(kind="charge", status="settledSuccessfully", transaction_id=item):
                add(item, -event.amount_cents)
            case SettlementBatch.TransactionSettled(kind="refund", transaction_id=item):
                add(item, event.amount_cents)
            case _:
                pass
    return {item: cents for item, cents in items.items() if cents}


def _by(actor: str, at: datetime) -> Metadata:
    return Metadata(at.astimezone(UTC), actor, "run_1", "run_1")

"""Compares the gateway's transactions with the log: a charge that no order names is recorded and taken back.

What cannot be missed: the list is read first and the head of the log after it. An order's intent is stored before its
charge is sent, so every charge of ours on the list has its intent below that head.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import NAMESPACE_URL, UUID, uuid5

from application import notifications
from application.corrections import TakeBack, take_back_intent
from application.event_log import EventLog
from application.order_streams import OrderStreams
from application.ports import Clock, LookupFailed, PaymentGateway, TransactionState, TransactionSummary
from application.reversal import NOTHING_KEPT, Reversal
from application.work import LookAgain, WorkItem
from domain.order_events import OrderState
from domain.orphan_charge import OrphanCharge
from domain.stream import Metadata, Stream
from domain.submission import Guards

ACTOR = "system:reconciler"
LOOK_BACK = timedelta(days=3)  # over batches that settled since
MAX_BATCHES_REMEMBERED = 1_000
VIEWS_TRIES, VIEWS_PAUSE_S = 50, 0.1  # for the read models to reach what was the head of the log
KEPT = {
    TransactionState.CAPTURED,
    TransactionState.SETTLED,
    TransactionState.AUTHORIZED_ONLY,
    TransactionState.UNSETTLED_ERROR,
}
_NAMESPACE = uuid5(NAMESPACE_URL, "urn:pay-and-submit:orphan-charge")


@dataclass(frozen=True)
class KnownPayment:
    """What the read models know of an invoice number."""

    order_id: UUID
    state: str
    transaction_id: str | None


class InvoiceIndex(Protocol):
    """Finds orders by invoice number, in the read models."""

    async def position(self) -> int:
        """How far they have followed the log."""
        ...

    async def by_invoice(self, invoice_numbers: Sequence[str]) -> Mapping[str, KnownPayment]: ...


class Reconcile:
    """One round over the gateway's unsettled and recently settled transactions."""

    def __init__(
        self,
        events: EventLog,
        streams: OrderStreams,
        gateway: PaymentGateway,
        index: InvoiceIndex,
        reversal: Reversal,
        take_back: TakeBack,
        clock: Clock,
        *,
        interval_s: float,
        take_orphans_back: bool = True,
    ) -> None:
        self._events = events
        self._streams = streams
        self._gateway = gateway
        self._index = index
        self._reversal = reversal
        self._take_back = take_back
        self._clock = clock
        self._interval_s = interval_s
        self._take_orphans_back = take_orphans_back
        self._batches_done: dict[str, None] = {}

    async def __call__(self, item: WorkItem) -> LookAgain | None:
        """Never done: looked at again after the interval."""
        try:
            unsettled, batches = await self._transactions()
        except LookupFailed:
            return LookAgain(self._interval_s)
        head = await self._events.recorder.max_position()
        if not await self._index_reaches(head):
            return LookAgain(self._interval_s)
        await self._judge_all(unsettled)
        for batch_id, rows in batches.items():
            if await self._judge_all(rows):
                self._batches_done[batch_id] = None
        while len(self._batches_done) > MAX_BATCHES_REMEMBERED:
            self._batches_done.pop(next(iter(self._batches_done)))
        return LookAgain(self._interval_s)

    async def _index_reaches(self, position: int) -> bool:
        """Wait for it: while orders are being placed the read models are always a little behind the log."""
        for _ in range(VIEWS_TRIES):
            if await self._index.position() >= position:
                return True
            await self._clock.sleep(VIEWS_PAUSE_S)
        return False

    async def _transactions(self) -> tuple[list[TransactionSummary], dict[str, list[TransactionSummary]]]:
        """The unsettled transactions, and those of each batch that is not done with."""
        now = self._clock.now()
        unsettled = await self._gateway.unsettled()
        batches = [batch.batch_id for batch in await self._gateway.settled_batches(now - LOOK_BACK, now)]
        todo = [batch_id for batch_id in batches if batch_id not in self._batches_done]
        return unsettled, {batch_id: await self._gateway.batch_transactions(batch_id) for batch_id in todo}

    async def _judge_all(self, rows: Sequence[TransactionSummary]) -> bool:
        """Whether every charge among them is accounted for, so that nobody need look at them again."""
        judged = [row for row in rows if row.state in KEPT or row.state in NOTHING_KEPT]
        known = await self._index.by_invoice([row.invoice_number for row in judged if row.invoice_number])
        done = [await self._judge(row, known.get(row.invoice_number or "")) for row in judged]
        return all(done)

    async def _judge(self, row: TransactionSummary, payment: KnownPayment | None) -> bool:
        """Whether nothing more is to be found out about it."""
        if payment is None:
            return await self._orphan(row)
        if row.state in NOTHING_KEPT:
            return True
        if payment.state in (OrderState.PAYMENT_OPEN, OrderState.PAYMENT_HELD):
            return False  # recovery finds out
        if payment.transaction_id != row.transaction_id or payment.state not in (
            OrderState.SUBMITTED,
            OrderState.VOIDED,
            OrderState.REFUNDED,
        ):
            await self._unexpected(payment.order_id, row)
        return True

    async def _unexpected(self, order_id: UUID, row: TransactionSummary) -> None:
        """Its order has ended without it, or with another charge."""

        def decide(fresh: Guards, at: datetime) -> Sequence[Stream]:
            order = fresh.order
            assert order.requested is not None
            if order.payment and order.payment.transaction_id == row.transaction_id and order.submitted_at:
                return ()  # adopted since the read model was read
            metadata = Metadata(at, ACTOR, order.requested.correlation_id, f"gateway/{row.transaction_id}")
            return take_back_intent(fresh, metadata, row.transaction_id, order.version, amount_cents=row.amount_cents)

        saved = await self._streams.decide_and_save(await self._streams.load_for(order_id), decide)
        if row.transaction_id in saved.guards.order.open_corrections:
            await self._take_back.carry_out(order_id)

    async def _orphan(self, row: TransactionSummary) -> bool:
        """Record it and go on taking it back; whether that is over."""
        (orphan,) = await self._events.load((OrphanCharge, uuid5(_NAMESPACE, row.transaction_id)))
        if orphan.is_taken_back or (orphan.found is None and row.state in NOTHING_KEPT):
            return True  # what was found once is followed until its own stream says that it is over
        metadata = _metadata(row.transaction_id, self._clock.now())
        if orphan.found is None:
            orphan.find(
                metadata,
                transaction_id=row.transaction_id,
                invoice_number=row.invoice_number,
                amount_cents=row.amount_cents,
                status=row.status,
                submitted_at=row.submitted_at,
            )
            if self._take_orphans_back:
                orphan.request_void(metadata)
            notice = notifications.raised(notifications.ORPHAN_CHARGE, orphan.id, metadata, about_order=False)
            await self._events.save(orphan, notice)
        if not orphan.void_requested:
            return True  # only reported
        with suppress(LookupFailed):  # the next round tries again
            await self._reversal.take_back(_Orphan(self._events, self._streams, self._clock, orphan, row))
        return orphan.is_taken_back


class _Orphan:
    """An orphan charge, for the reversal."""

    def __init__(
        self, events: EventLog, streams: OrderStreams, clock: Clock, orphan: OrphanCharge, row: TransactionSummary
    ) -> None:
        self._events = events
        self._streams = streams
        self._clock = clock
        self._orphan = orphan
        self.transaction_id = row.transaction_id
        self.customer_profile_id = row.customer_profile_id

    @property
    def refund(self) -> tuple[str, datetime] | None:
        number, asked_at = self._orphan.refund_invoice_number, self._orphan.refund_requested_at
        return (number, asked_at) if number is not None and asked_at is not None else None

    async def intend_refund(self, refund_invoice_number: str, amount_cents: int, after: datetime | None) -> None:
        self._orphan.request_refund(self._now(), refund_invoice_number, after)
        await self._events.save(self._orphan)

    async def voided(self, how: str) -> None:
        self._orphan.record_taken_back(self._now(), how)
        await self._events.save(self._orphan)

    async def refunded(self, refund_transaction_id: str) -> None:
        self._orphan.record_taken_back(self._now(), f"refunded-by-{refund_transaction_id}")
        await self._events.save(self._orphan)

    async def refused(self) -> None:
        await self._streams.notify(notifications.CORRECTION_REFUSED, self._orphan.id, self._now(), about_order=False)

    def _now(self) -> Metadata:
        return _metadata(self.transaction_id, self._clock.now())


def _metadata(transaction_id: str, at: datetime) -> Metadata:
    return Metadata(at, ACTOR, f"reconcile_{transaction_id}", f"gateway/{transaction_id}")

"""Takes back money that an order must not keep. The intent is an event of the order before anything is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from application import notifications
from application.order_streams import OrderStreams
from application.ports import Clock, LookupFailed
from application.reversal import Reversal
from application.work import LookAgain, WorkItem, growing
from domain.order import Order
from domain.order_events import CorrectionState
from domain.stream import Metadata, Stream
from domain.submission import Guards

ACTOR = "system:corrections"
LONGEST_PAUSE_S = 300.0
HAD_ENDED = "order-had-ended"  # why a charge is unexpected; a stored word


class TakeBack:
    """Carries out the open corrections of one order."""

    def __init__(self, streams: OrderStreams, reversal: Reversal, clock: Clock, interval_s: float) -> None:
        self._streams = streams
        self._reversal = reversal
        self._clock = clock
        self._interval_s = interval_s

    async def __call__(self, item: WorkItem) -> LookAgain | None:
        """None once nothing is left to be taken back."""
        order = await self.carry_out(item.order_id)
        return LookAgain(growing(item.tries, self._interval_s, LONGEST_PAUSE_S)) if order.open_corrections else None

    async def carry_out(self, order_id: UUID) -> Order:
        """Try each open correction once; the order as it is afterwards."""
        order = await self._streams.order(order_id)
        for transaction_id in order.open_corrections:
            try:
                await self._reversal.take_back(_OrderCharge(self._streams, self._clock, order, transaction_id))
            except LookupFailed:
                continue  # nothing may be concluded; looked at again later
        return await self._streams.order(order_id)

    async def refund(self, order: Order, transaction_id: str, intent: Intent) -> Order:
        """Give a settled charge back because a person wants it. Raises LookupFailed."""
        await self._reversal.refund(_OrderCharge(self._streams, self._clock, order, transaction_id, intent))
        return await self._streams.order(order.id)


@dataclass(frozen=True)
class Intent:
    """Who wants a charge taken back, in which call, and why."""

    actor: str
    request: str
    reason: str


class _OrderCharge:
    """One charge of an order, for the reversal; `intent` where a person asks for a refund."""

    def __init__(
        self, streams: OrderStreams, clock: Clock, order: Order, transaction_id: str, intent: Intent | None = None
    ) -> None:
        self._intent = intent
        self._streams = streams
        self._clock = clock
        self._order = order
        self.transaction_id = transaction_id
        self.customer_profile_id = order.payment.customer_profile_id if order.payment else None

    @property
    def refund(self) -> tuple[str, datetime] | None:
        correction = self._order.corrections.get(self.transaction_id)
        if (
            correction is None
            or correction.state is not CorrectionState.REFUND_REQUESTED
            or correction.refund_invoice_number is None
        ):
            return None
        return correction.refund_invoice_number, correction.requested_at

    async def intend_refund(self, refund_invoice_number: str, amount_cents: int, after: datetime | None) -> None:
        known, intent = self._order.corrections.get(self.transaction_id), self._intent
        await self._save(
            lambda order, metadata: order.request_refund(
                Metadata(metadata.recorded_at, intent.actor, intent.request, intent.request) if intent else metadata,
                transaction_id=self.transaction_id,
                amount_cents=amount_cents,
                reason=intent.reason if intent else known.reason if known else "",
                unexpected=known.unexpected if known else False,
                refund_invoice_number=refund_invoice_number,
                after=after,
            )
        )

    async def voided(self, how: str) -> None:
        await self._save(lambda order, metadata: order.record_void(metadata, self.transaction_id))

    async def refunded(self, refund_transaction_id: str) -> None:
        await self._save(
            lambda order, metadata: order.record_refund(metadata, self.transaction_id, refund_transaction_id)
        )

    async def refused(self) -> None:
        metadata = _metadata(self._order, self._clock.now())
        await self._streams.notify(notifications.CORRECTION_REFUSED, self._order.id, metadata)

    async def _save(self, record: Callable[[Order, Metadata], None]) -> None:
        def decide(fresh: Guards, at: datetime) -> Sequence[Stream]:
            record(fresh.order, _metadata(fresh.order, at))
            return ()

        guards = await self._streams.load_for(self._order.id)
        self._order = (await self._streams.decide_and_save(guards, decide)).guards.order


def _metadata(order: Order, at: datetime) -> Metadata:
    assert order.requested is not None
    return Metadata(at, ACTOR, order.requested.correlation_id, f"{order.id}/{order.version}")


def take_back_intent(
    guards: Guards, metadata: Metadata, transaction_id: str, known: int, *, amount_cents: int | None = None
) -> Sequence[Stream]:
    """A charge that its order must not keep: store the intent to take it back, and tell people once.

    `known`: the order's version before the decision; a repeat records nothing and so raises nothing. `amount_cents`:
    what the gateway says was charged; None where it confirmed the attempt's own amount.
    """
    order = guards.order
    assert order.payment is not None
    told_before = any(other.unexpected and other.reason == HAD_ENDED for other in order.corrections.values())
    order.request_void(
        metadata,
        transaction_id=transaction_id,
        amount_cents=order.payment.amount_cents if amount_cents is None else amount_cents,
        reason=HAD_ENDED,
        unexpected=True,
    )
    if order.version == known or told_before:
        return ()  # one notification per order: raising it again would be a conflict, for ever
    return [notifications.raised(notifications.UNEXPECTED_CHARGE, order.id, metadata)]

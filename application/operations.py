"""What an operator may do to an order by hand: take the money back, have the email sent again, work the notifications.

Each is an event with its actor and reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from application.corrections import Intent, TakeBack
from application.event_log import EventLog
from application.order_streams import OrderStreams
from application.ports import Clock, LookupFailed, PaymentGateway, TransactionState
from application.reversal import NOTHING_KEPT, VOIDABLE
from domain.notification import Notification
from domain.order import Order
from domain.order_events import OrderState
from domain.stream import Metadata, Stream
from domain.submission import Guards


class NotPossible(Exception):
    """The order or the gateway does not allow it; the text says why, and what to do instead."""


class Operations:
    """Manual actions; `actor` names the operator, `request` the call."""

    def __init__(
        self,
        events: EventLog,
        streams: OrderStreams,
        gateway: PaymentGateway,
        take_back: TakeBack,
        clock: Clock,
    ) -> None:
        self._events = events
        self._streams = streams
        self._gateway = gateway
        self._take_back = take_back
        self._clock = clock

    async def void(self, order_id: UUID, *, actor: str, reason: str, request: str) -> Order:
        """Take the charge of a submitted order back before it settles. Raises NotPossible.

        One that was voided at the gateway by hand is recorded as what it is.
        """
        order, transaction_id, amount_cents = await self._charged(order_id)
        if transaction_id not in order.open_corrections:
            if await self._state(transaction_id) not in VOIDABLE | NOTHING_KEPT:
                raise NotPossible("the charge cannot be voided any more; refund it: orders payments refund")
            await self._decide(
                order,
                lambda fresh, at: fresh.order.request_void(
                    Metadata(at, actor, request, request),
                    transaction_id=transaction_id,
                    amount_cents=amount_cents,
                    reason=reason,
                    unexpected=False,
                ),
            )
        return await self._take_back.carry_out(order_id)

    async def refund(self, order_id: UUID, *, actor: str, reason: str, request: str) -> Order:
        """Give the settled money of a submitted order back, all of it. Raises NotPossible."""
        order, transaction_id, _ = await self._charged(order_id)
        if transaction_id in order.open_corrections:
            return await self._take_back.carry_out(order_id)
        if await self._state(transaction_id) is not TransactionState.SETTLED:
            raise NotPossible("the charge has not settled, so it cannot be refunded; void it: orders payments void")
        try:
            return await self._take_back.refund(order, transaction_id, Intent(actor, request, reason))
        except LookupFailed as failure:
            order = await self._streams.order(order_id)
            if transaction_id in order.open_corrections:
                return order  # asked for; the background work finds out how it ended
            raise NotPossible(f"the gateway cannot be asked now ({failure.reason}); try again") from failure

    async def resend_email(self, order_id: UUID, *, actor: str, reason: str, request: str) -> Order:
        """Have the confirmation sent again by the outbox. Raises NotPossible."""
        order = await self._known(order_id)
        if order.submitted_at is None:
            raise NotPossible("the order was never submitted, so there is nothing to confirm")
        return await self._decide(
            order, lambda fresh, at: fresh.order.request_resend(Metadata(at, actor, request, request), reason)
        )

    async def see_notification(self, notification_id: UUID, *, actor: str, request: str) -> Notification:
        """Mark it as seen. Raises NotPossible where there is none."""
        return await self._notification(
            notification_id, lambda found, at: found.see(Metadata(at, actor, request, request))
        )

    async def resolve_notification(
        self, notification_id: UUID, *, actor: str, reason: str, request: str
    ) -> Notification:
        """Mark it as dealt with. Raises NotPossible where there is none."""
        return await self._notification(
            notification_id, lambda found, at: found.resolve(Metadata(at, actor, request, request), reason)
        )

    async def _known(self, order_id: UUID) -> Order:
        order = await self._streams.order(order_id)
        if order.requested is None:
            raise NotPossible("there is no such order")
        return order

    async def _charged(self, order_id: UUID) -> tuple[Order, str, int]:
        order = await self._known(order_id)
        payment = order.payment
        if order.state in (OrderState.VOIDED, OrderState.REFUNDED):
            raise NotPossible(f"the order has been {order.state} already")
        if order.state is not OrderState.SUBMITTED or payment is None or payment.transaction_id is None:
            raise NotPossible("the order has no charge that could be taken back")
        return order, payment.transaction_id, payment.amount_cents

    async def _state(self, transaction_id: str) -> TransactionState:
        try:
            details = await self._gateway.details(transaction_id)
        except LookupFailed as failure:
            raise NotPossible(f"the gateway cannot be asked now ({failure.reason}); try again") from failure
        if details is None:
            raise NotPossible("the gateway does not know the transaction")
        return details.state

    async def _decide(self, order: Order, record: Callable[[Guards, datetime], None]) -> Order:
        def decide(fresh: Guards, at: datetime) -> Sequence[Stream]:
            record(fresh, at)
            return ()

        return (await self._streams.decide_and_save(await self._streams.load_for(order.id), decide)).guards.order

    async def _notification(
        self, notification_id: UUID, record: Callable[[Notification, datetime], None]
    ) -> Notification:
        def decide(found: Notification) -> None:
            if found.raised is None:
                raise NotPossible("there is no such notification")
            record(found, self._clock.now())

        return await self._events.change(Notification, notification_id, decide)

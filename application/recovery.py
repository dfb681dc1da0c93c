"""Closes payment attempts whose outcome is open. It looks up, adopts, declines what was held too long, and expires.

It never charges: only the process that committed the intent may send a charge, and it does so once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from application import notifications
from application.corrections import take_back_intent
from application.order_streams import OrderStreams
from application.payment_lookup import Finding, FoundCharge, FoundHeld, FoundNo, FoundPart, NotFound, Unclear, look_up
from application.ports import Clock, PaymentGateway, TransactionState
from application.work import LookAgain, WorkItem, growing
from domain import endings
from domain.order import UnexpectedCharge
from domain.order_events import Payment
from domain.payment import FoundBy, PaymentState
from domain.policy import Policy
from domain.stream import Metadata, Stream
from domain.submission import Guards

ACTOR = "system:recovery"
LONGEST_PAUSE_S = 60.0
LONGEST_PAUSE_HELD_S = 600.0
STUCK_AFTER = 2  # times the expiry: lookups have failed for so long that a person should know


class RecoverPayment:
    """Finds out what became of one open attempt."""

    def __init__(
        self, streams: OrderStreams, gateway: PaymentGateway, clock: Clock, policy: Policy, interval_s: float
    ) -> None:
        self._streams = streams
        self._gateway = gateway
        self._clock = clock
        self._policy = policy
        self._interval_s = interval_s

    async def __call__(self, item: WorkItem) -> LookAgain | None:
        """One look at the gateway; None once the attempt has an ending."""
        guards = await self._streams.load_for(item.order_id)
        payment = guards.order.payment
        if payment is None or not payment.state.is_open:
            return None
        wait_s = self._still_charging_s(payment)
        if wait_s > 0:
            return LookAgain(wait_s)
        if self._held_too_long(payment):
            guards = await self._decline_held(guards)
        began = self._clock.now()
        finding = await look_up(self._gateway, payment)
        saved = await self._streams.decide_and_save(guards, lambda fresh, at: self._record(fresh, finding, at, began))
        payment = saved.guards.order.payment
        assert payment is not None
        if not payment.state.is_open:
            return None
        await self._tell_if_stuck(saved.guards, payment)
        return LookAgain(self._pause_s(payment, item.tries))

    def _still_charging_s(self, payment: Payment) -> float:
        """The process that sent the charge would have ended it by itself within this time."""
        if payment.state is not PaymentState.ATTEMPTED:
            return 0.0
        return (
            payment.attempted_at + timedelta(seconds=self._policy.charge_time_s) - self._clock.now()
        ).total_seconds()

    def _held_too_long(self, payment: Payment) -> bool:
        held_for = self._clock.now() - payment.attempted_at
        return payment.state is PaymentState.HELD and held_for >= timedelta(seconds=self._policy.held_expiry_s)

    async def _decline_held(self, guards: Guards) -> Guards:
        """Have the gateway decline it, intent first; whether it did is for the lookup that follows to say."""

        def record(fresh: Guards, at: datetime) -> Sequence[Stream]:
            fresh.order.request_hold_decline(self._metadata(fresh, at), "held-too-long")
            return ()

        saved = await self._streams.decide_and_save(guards, record)
        payment = saved.guards.order.payment
        if payment and payment.state is PaymentState.HELD and payment.transaction_id:
            await self._gateway.decline_held(payment.transaction_id)
        return saved.guards

    def _record(self, guards: Guards, finding: Finding, at: datetime, began: datetime) -> Sequence[Stream]:
        metadata, order = self._metadata(guards, at), guards.order
        payment, known = order.payment, order.version
        assert payment is not None
        match finding:
            case FoundCharge(transaction_id=transaction_id, authorization_code=code, codes=codes):
                try:
                    endings.take_charge(
                        guards,
                        metadata,
                        transaction_id=transaction_id,
                        authorization_code=code,
                        codes=codes,
                        found_by=FoundBy.LOOKUP,
                        blocked_s=self._policy.adopted_window_s,
                    )
                except UnexpectedCharge:
                    return take_back_intent(guards, metadata, transaction_id, known)
            case FoundHeld(transaction_id=transaction_id, codes=codes):
                order.record_held(metadata, transaction_id=transaction_id, codes=codes, found_by=FoundBy.LOOKUP)
            case FoundNo(transaction_id=transaction_id, state=state, codes=codes):
                endings.take_decline(
                    guards,
                    metadata,
                    status="declined-payment" if state is TransactionState.DECLINED else "failed-payment",
                    reason=f"found-{state}",
                    transaction_id=transaction_id,
                    codes=codes,
                    found_by=FoundBy.LOOKUP,
                )
            case FoundPart(transaction_id=transaction_id, amount_cents=amount_cents, codes=codes):
                endings.take_part(
                    guards,
                    metadata,
                    transaction_id=transaction_id,
                    amount_cents=amount_cents,
                    codes=codes,
                    found_by=FoundBy.LOOKUP,
                )
            case NotFound() if payment.state is not PaymentState.HELD and began >= self._expires_at(payment):
                endings.take_expiry(guards, metadata, self._policy, looked_up_at=began)
            case NotFound() | Unclear():
                pass  # nothing may be concluded
        return ()

    def _expires_at(self, payment: Payment) -> datetime:
        """From then on, a complete lookup that finds nothing means that it never happened."""
        return payment.attempted_at + timedelta(seconds=self._policy.payment_expiry_s)

    async def _tell_if_stuck(self, guards: Guards, payment: Payment) -> None:
        """A person should know of an attempt that cannot be closed long after it could have been."""
        limit_s = self._policy.held_expiry_s if payment.state is PaymentState.HELD else self._policy.payment_expiry_s
        now = self._clock.now()
        if now >= payment.attempted_at + timedelta(seconds=STUCK_AFTER * limit_s):
            await self._streams.notify(notifications.STUCK_ATTEMPT, guards.order.id, self._metadata(guards, now))

    def _pause_s(self, payment: Payment, tries: int) -> float:
        """Growing pauses, but never past the instant at which more can be concluded."""
        held = payment.state is PaymentState.HELD
        pause_s = growing(tries, self._interval_s, LONGEST_PAUSE_HELD_S if held else LONGEST_PAUSE_S)
        limit_s = self._policy.held_expiry_s if held else self._policy.payment_expiry_s
        left_s = (payment.attempted_at + timedelta(seconds=limit_s) - self._clock.now()).total_seconds()
        return min(pause_s, left_s + 0.05) if left_s > 0 else pause_s

    @staticmethod
    def _metadata(guards: Guards, at: datetime) -> Metadata:
        order = guards.order
        assert order.requested is not None
        return Metadata(at, ACTOR, order.requested.correlation_id, f"{order.id}/{order.version}")

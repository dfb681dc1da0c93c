"""Takes one charge back at the gateway: voided before it settles, refunded after; believed when the details show it.

The intent has been stored before this is called, and is stored again before a refund is sent. Voiding may be repeated;
a refund is sent anew only once the last one cannot be under way any more.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from application.ports import Clock, Ids, PaymentGateway, Rejected, TransactionDetails, TransactionState
from domain.policy import Policy

NOTHING_KEPT = {
    TransactionState.VOIDED,
    TransactionState.DECLINED,
    TransactionState.EXPIRED,
    TransactionState.FAILED,
}
VOIDABLE = {TransactionState.CAPTURED, TransactionState.AUTHORIZED_ONLY, TransactionState.UNSETTLED_ERROR}
LOOK_BACK = timedelta(hours=1)  # clocks differ


class Reversible(Protocol):
    """A charge that is being taken back, as its own stream tells it."""

    transaction_id: str
    customer_profile_id: str | None

    @property
    def refund(self) -> tuple[str, datetime] | None:
        """Invoice number and time of the refund that was asked for last, if any."""
        ...

    async def intend_refund(self, refund_invoice_number: str, amount_cents: int, after: datetime | None) -> None:
        """Store that a refund is about to be asked for."""
        ...

    async def voided(self, how: str) -> None:
        """Store that no money is kept."""
        ...

    async def refunded(self, refund_transaction_id: str) -> None:
        """Store that the money was given back."""
        ...

    async def refused(self) -> None:
        """The gateway refuses: tell people."""
        ...


class Reversal:
    """The steps at the gateway. Raises LookupFailed where it cannot be asked: then nothing is concluded."""

    def __init__(self, gateway: PaymentGateway, clock: Clock, ids: Ids, policy: Policy) -> None:
        self._gateway = gateway
        self._clock = clock
        self._ids = ids
        self._policy = policy

    async def take_back(self, charge: Reversible) -> None:
        """Go as far as can be gone now."""
        if charge.refund is not None:
            await self._finish_refund(charge)
            return
        details = await self._gateway.details(charge.transaction_id)
        if details is not None and details.state in VOIDABLE:
            details = await self._void(charge)
        elif details is not None and details.state is TransactionState.HELD:
            await self._gateway.decline_held(charge.transaction_id)
            details = await self._gateway.details(charge.transaction_id)
        if details is None:
            return
        if details.state in NOTHING_KEPT:
            await charge.voided(details.state.value)
        elif details.state is TransactionState.SETTLED:
            await self._send_refund(charge, details, after=None)

    async def refund(self, charge: Reversible) -> None:
        """Refund a settled charge that nobody has asked to take back yet."""
        details = await self._gateway.details(charge.transaction_id)
        if details is not None and details.state is TransactionState.SETTLED:
            await self._send_refund(charge, details, after=None)

    async def _void(self, charge: Reversible) -> TransactionDetails | None:
        rejected = isinstance(await self._gateway.void(charge.transaction_id), Rejected)
        details = await self._gateway.details(charge.transaction_id)
        if rejected and details is not None and details.state in VOIDABLE:
            await charge.refused()
        return details

    async def _finish_refund(self, charge: Reversible) -> None:
        """Adopt the refund if the gateway has it; else ask for it anew, once it cannot be under way."""
        assert charge.refund is not None
        _, asked_at = charge.refund
        given_up = self._clock.now() - timedelta(seconds=self._policy.payment_expiry_s)
        if await self._adopt_refund(charge) or asked_at > given_up:
            return
        details = await self._gateway.details(charge.transaction_id)
        if details is not None and details.state is TransactionState.SETTLED:
            await self._send_refund(charge, details, after=given_up)

    async def _send_refund(self, charge: Reversible, details: TransactionDetails, after: datetime | None) -> None:
        invoice_number = self._ids.invoice_number()
        await charge.intend_refund(invoice_number, details.amount_cents, after)
        if charge.refund is None or charge.refund[0] != invoice_number:
            return  # somebody else has asked for it
        outcome = await self._gateway.refund(
            charge.transaction_id, details.amount_cents, details.last4 or "", invoice_number
        )
        if isinstance(outcome, Rejected):
            await charge.refused()
        await self._adopt_refund(charge)

    async def _adopt_refund(self, charge: Reversible) -> bool:
        assert charge.refund is not None
        invoice_number, asked_at = charge.refund
        rows = await self._gateway.find_by_invoice(
            invoice_number, customer_profile_id=charge.customer_profile_id, since=asked_at - LOOK_BACK
        )
        refund_id = next((row.transaction_id for row in rows if row.state is TransactionState.REFUND), None)
        if refund_id is None:
            return False
        await charge.refunded(refund_id)
        return True

"""Finds out at the gateway what became of one payment attempt. Looks only; never charges.

A transaction counts as this attempt's only if its details carry the attempt's invoice and card, and money counts as its
charge only if the amount agrees too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from application.ports import LookupFailed, PaymentGateway, TransactionDetails, TransactionState
from domain.order_events import Payment
from domain.payment import GatewayCodes

PARTIAL_APPROVAL = "295"  # the gateway's reason code
CLOCK_SKEW = timedelta(hours=1)  # between our clock and the gateway's submit times


@dataclass(frozen=True)
class FoundCharge:
    """The money was taken."""

    transaction_id: str
    authorization_code: str
    codes: GatewayCodes


@dataclass(frozen=True)
class FoundHeld:
    transaction_id: str
    codes: GatewayCodes


@dataclass(frozen=True)
class FoundNo:
    """The gateway has the transaction, and it kept no money."""

    transaction_id: str
    state: TransactionState
    codes: GatewayCodes


@dataclass(frozen=True)
class FoundPart:
    """Only a part was authorised, which nobody asked for: it is no charge, and must be taken back."""

    transaction_id: str
    amount_cents: int
    codes: GatewayCodes


@dataclass(frozen=True)
class NotFound:
    """A complete lookup found no transaction of this attempt."""


@dataclass(frozen=True)
class Unclear:
    """Nothing may be concluded: the lookup failed, or what it found is not final or does not match."""

    reason: str


Finding = FoundCharge | FoundHeld | FoundPart | FoundNo | NotFound | Unclear

_NO = {
    TransactionState.DECLINED,
    TransactionState.VOIDED,
    TransactionState.EXPIRED,
    TransactionState.FAILED,
}
_KEPT = {TransactionState.CAPTURED, TransactionState.SETTLED}


async def look_up(gateway: PaymentGateway, payment: Payment) -> Finding:
    """What the gateway knows of the attempt. A kept charge outweighs every other row with its invoice."""
    assert payment.invoice_number is not None
    try:
        rows = await gateway.find_by_invoice(
            payment.invoice_number,
            customer_profile_id=payment.customer_profile_id,
            since=payment.attempted_at - CLOCK_SKEW,
        )
        candidates = {row.transaction_id for row in rows if row.state is not TransactionState.REFUND}
        found = [await gateway.details(transaction_id) for transaction_id in sorted(candidates)]
    except LookupFailed as failure:
        return Unclear(failure.reason)
    findings = [_judge(details, payment) for details in found]
    for kind in (FoundCharge, FoundHeld, Unclear, FoundPart, FoundNo):
        for finding in findings:
            if isinstance(finding, kind):
                return finding
    return NotFound()


def _judge(details: TransactionDetails | None, payment: Payment) -> Finding:
    if details is None:
        return Unclear("listed-but-no-details")
    if not _is_ours(details, payment):
        return Unclear("details-differ")
    if details.state in _NO:  # nothing will be settled of it, so that its amount may read zero
        return FoundNo(details.transaction_id, details.state, details.codes)
    if details.state is TransactionState.AUTHORIZED_ONLY and details.codes.reason_code == PARTIAL_APPROVAL:
        return FoundPart(details.transaction_id, details.amount_cents, details.codes)
    if details.amount_cents != payment.amount_cents:
        return Unclear("details-differ")
    if details.state in _KEPT:
        return FoundCharge(details.transaction_id, details.authorization_code, details.codes)
    if details.state is TransactionState.HELD:
        return FoundHeld(details.transaction_id, details.codes)
    return Unclear(f"status-{details.state}")


def _is_ours(details: TransactionDetails, payment: Payment) -> bool:
    """Invoice and card agree. A profile id says more about the card than its last digits do."""
    if details.payment_profile_id is not None:
        same_card = details.payment_profile_id == payment.payment_profile_id
    else:
        same_card = details.last4 in (None, payment.last4)
    return same_card and details.invoice_number == payment.invoice_number

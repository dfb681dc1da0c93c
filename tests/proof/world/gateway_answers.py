"""The gateway's books in the words of the port."""

from __future__ import annotations

from application.ports import (
    Approved,
    ChargeOutcome,
    Declined,
    DuplicateAtGateway,
    GatewayCodes,
    GatewayFailed,
    HeldForReview,
    NotSent,
    OutcomeUnknown,
    PartiallyApproved,
    TransactionDetails,
    TransactionSummary,
)
from tests.proof.world.clock import START
from tests.proof.world.ledger import WORDS, Transaction

YES = GatewayCodes("1", "1", "I00001")
PART = GatewayCodes("4", "295", "I00001")
NO = GatewayCodes("2", "2", "I00001")
ERROR = GatewayCodes("3", "57", "E00027")


def answer(kind: str, row: Transaction | None) -> ChargeOutcome:
    """What the sender hears."""
    match kind:
        case "approved" if row is not None:
            return Approved(row.id, "000123", YES)
        case "held" if row is not None:
            return HeldForReview(row.id, GatewayCodes("4", "252", "I00001"))
        case "partial" if row is not None:
            return PartiallyApproved(row.id, PART)
        case "declined":
            return Declined("declined-payment", NO, row.id if row else None)
        case "failed":
            return GatewayFailed("external-application-error", ERROR)
        case "keys-refused":
            return GatewayFailed("invalid-payment-processor-api-keys", GatewayCodes(message_code="E00007"))
        case "not-sent":
            return NotSent("connection-refused")
        case "duplicate":
            return DuplicateAtGateway(GatewayCodes("3", "11" if row else "318", "E00027"), row.id if row else None)
        case _:
            return OutcomeUnknown(kind)


def summary(row: Transaction) -> TransactionSummary:
    return TransactionSummary(
        transaction_id=row.id,
        state=row.state,
        status=WORDS[row.state],
        invoice_number=row.invoice_number or None,
        amount_cents=row.amount_cents,
        submitted_at=START,
        customer_profile_id=row.customer_profile_id,
        payment_profile_id=row.payment_profile_id,
    )


def details_of(row: Transaction) -> TransactionDetails:
    return TransactionDetails(
        transaction_id=row.id,
        state=row.state,
        status=WORDS[row.state],
        invoice_number=row.invoice_number or None,
        amount_cents=row.amount_cents,
        authorization_code="000123",
        last4=None,
        transaction_type="refundTransaction" if row.refund_of else "authCaptureTransaction",
        submitted_at=START,
        customer_profile_id=row.customer_profile_id,
        payment_profile_id=row.payment_profile_id,
        refunded_transaction_id=row.refund_of,
        codes=PART if row.amount_cents < row.asked_cents else YES,
    )

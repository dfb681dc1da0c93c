"""What each outcome of a charge does: the one place where the gateway's words become decisions of the domain (T2)."""

from __future__ import annotations

from application.answers import KEYS_REFUSED
from application.ports import (
    Approved,
    ChargeOutcome,
    ChargeRequest,
    Declined,
    DuplicateAtGateway,
    GatewayFailed,
    HeldForReview,
    NotSent,
    OutcomeUnknown,
    PartiallyApproved,
)
from domain import endings
from domain.order import Order
from domain.payment import FoundBy
from domain.policy import Policy
from domain.stream import Metadata
from domain.submission import Guards


def charge_request(order: Order) -> ChargeRequest:
    """The one charge that the order's open attempt stands for."""
    payment = order.payment
    assert payment is not None
    assert payment.invoice_number
    assert payment.customer_profile_id
    assert payment.payment_profile_id
    return ChargeRequest(
        invoice_number=payment.invoice_number,
        amount_cents=payment.amount_cents,
        customer_profile_id=payment.customer_profile_id,
        payment_profile_id=payment.payment_profile_id,
        description=f"Order {order.number}",
    )


def take_outcome(guards: Guards, outcome: ChargeOutcome, metadata: Metadata, policy: Policy) -> None:
    """Record the outcome on the order and its guards. Raises UnexpectedCharge for a yes that comes too late."""
    order = guards.order
    match outcome:
        case Approved(transaction_id=transaction_id, authorization_code=code, codes=codes, found_by=found_by):
            endings.take_charge(
                guards,
                metadata,
                transaction_id=transaction_id,
                authorization_code=code,
                codes=codes,
                found_by=found_by,
                blocked_s=policy.duplicate_window_s,
            )
        case Declined(status=status, codes=codes, transaction_id=declined_id):
            endings.take_decline(
                guards,
                metadata,
                status=status,
                reason=status,
                transaction_id=declined_id,
                codes=codes,
                found_by=FoundBy.ANSWER,
            )
        case PartiallyApproved(transaction_id=part_id, codes=codes):
            endings.take_part(
                guards, metadata, transaction_id=part_id, amount_cents=0, codes=codes, found_by=FoundBy.ANSWER
            )
        case GatewayFailed(status=status, codes=codes):
            reason = "keys-refused" if status == KEYS_REFUSED else "gateway-error"
            endings.take_failure(guards, metadata, status=status, reason=reason, codes=codes)
        case DuplicateAtGateway(codes=codes):
            endings.take_failure(
                guards, metadata, status="duplicate-payment", reason="duplicate-at-gateway", codes=codes
            )
        case HeldForReview(transaction_id=transaction_id, codes=codes):
            order.record_held(metadata, transaction_id=transaction_id, codes=codes, found_by=FoundBy.ANSWER)
        case NotSent(reason=reason):
            endings.take_not_sent(guards, metadata, reason)
        case OutcomeUnknown(reason=reason, codes=codes):
            order.record_unknown(metadata, reason, codes)

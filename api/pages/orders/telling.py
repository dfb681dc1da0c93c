"""Where an order stands, in a sentence or two."""

from __future__ import annotations

from api.pages.formatting import words
from application.audit.sentences import REFUSALS
from domain.order import Order
from domain.order_events import OrderState

PLAIN_DECLINE = "declined-payment"  # a reason that says no more than that
_STANDING = {
    OrderState.PAYMENT_OPEN: "It is not known yet whether the card was charged. The engine is finding out;"
    " nobody should pay again until then.",
    OrderState.PAYMENT_HELD: "The gateway holds the payment for review. It is captured or declined there.",
    OrderState.PAYMENT_EXPIRED: "A complete search at the gateway found no such charge, so it never happened.",
    OrderState.VOIDED: "It was paid and submitted; the charge was then voided before it settled.",
    OrderState.REFUNDED: "It was paid and submitted; the money was then refunded.",
}
_CONFIRMATION = {
    "sent": "the confirmation is sent",
    "failed": "the confirmation could not be sent to everybody yet",
    "pending": "the confirmation is on its way",
}


def standing(order: Order) -> str:
    """Plain text; empty before anything was decided."""
    payment = order.payment
    if order.refused is not None:
        status = order.refused.status
        return f"Refused: {REFUSALS.get(status, words(status))}. Nothing was charged."
    if order.state is OrderState.SUBMITTED:
        paid = "Paid" if payment and payment.transaction_id else "Nothing was to pay"
        asked = " The money is being taken back." if order.open_corrections else ""
        return f"{paid} and submitted; {_CONFIRMATION[str(order.email_state)]}.{asked}"
    if order.state in (OrderState.DECLINED, OrderState.PAYMENT_FAILED) and payment and payment.reason:
        who = "The card was declined" if order.state is OrderState.DECLINED else "The payment could not be made"
        why = "" if payment.reason == PLAIN_DECLINE else f": {words(payment.reason)}"
        return f"{who}{why}. Nothing was charged."
    return _STANDING.get(order.state, "") if order.state else ""

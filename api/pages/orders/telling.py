"""Where an order stands, in a sentence or two, and whether something is still to come."""

from __future__ import annotations

from api.pages.formatting import words
from application.audit.sentences import REFUSALS
from application.outbox import MAX_TRIES, no_more_tries
from domain.order import Order
from domain.order_events import EmailState, OrderState

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
    "refused": "the mail provider has refused the confirmation for good for at least one recipient",
    "given up": f"the confirmation could not be sent in {MAX_TRIES} tries, and the engine has given it up",
    "erased": "the confirmation can no longer be sent, because the client's data was erased",
}


def confirmation(order: Order, *, erased: bool) -> str:
    """How the confirmation of a submitted order went, in a sentence without its end. `erased`: its client is."""
    return _CONFIRMATION[_outlook(order, erased)]


def mail_is_open(order: Order, *, erased: bool) -> bool:
    """The outbox has still something to do for it."""
    return order.email_state is not None and _outlook(order, erased) in ("pending", "failed")


def is_open(order: Order, *, erased: bool) -> bool:
    """Something is still to come, so the page is kept up to date."""
    return bool(
        order.state in (None, OrderState.PAYMENT_OPEN, OrderState.PAYMENT_HELD)
        or (order.state is OrderState.SUBMITTED and mail_is_open(order, erased=erased))
        or order.open_corrections
    )


def _outlook(order: Order, erased: bool) -> str:
    """The key of what is said."""
    if order.email_state is EmailState.SENT:
        return "sent"
    if erased:
        return "erased"
    if no_more_tries(order):
        return "refused" if all(delivery.final for delivery in order.deliveries.values()) else "given up"
    return str(order.email_state)


def standing(order: Order, *, erased: bool) -> str:
    """Plain text; empty before anything was decided."""
    payment = order.payment
    if order.refused is not None:
        status = order.refused.status
        return f"Refused: {REFUSALS.get(status, words(status))}. Nothing was charged."
    if order.state is OrderState.SUBMITTED:
        paid = "Paid" if payment and payment.transaction_id else "Nothing was to pay"
        asked = " The money is being taken back." if order.open_corrections else ""
        return f"{paid} and submitted; {confirmation(order, erased=erased)}.{asked}"
    if order.state in (OrderState.DECLINED, OrderState.PAYMENT_FAILED) and payment and payment.reason:
        who = "The card was declined" if order.state is OrderState.DECLINED else "The payment could not be made"
        why = "" if payment.reason == PLAIN_DECLINE else f": {words(payment.reason)}"
        return f"{who}{why}. Nothing was charged."
    return _STANDING.get(order.state, "") if order.state else ""

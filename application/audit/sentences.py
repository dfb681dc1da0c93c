"""Each event of an order's story as a sentence for people. No personal data, and no words of operators."""

from __future__ import annotations

from datetime import datetime

from application.receipt import money
from application.times import utc_text
from domain.duplicate_window import DuplicateWindow
from domain.notification import Notification
from domain.order import Order
from domain.payment import FoundBy
from domain.pricing import CURRENCY
from domain.promotion import PromotionRedemption
from domain.stream import Stream

REFUSALS = {
    "invalid-promotion": "the promotion code is not valid for it",
    "duplicate-payment": "the same thing was just paid, or its payment is still open",
    "promotion-expended": "the promotion has been used by this user, or another order holds it",
    "card-expired": "the card is past its last day",
}
ENDINGS = {
    "charged": "the charge was taken",
    "waived": "there was nothing to pay",
    "declined": "the card was declined",
    "failed": "the payment failed",
    "not_sent": "nothing was sent",
    "expired": "the attempt expired",
}


def sentence(event: Stream.Event) -> str:
    """What happened."""
    match event:
        case Order.Requested(lines=lines, subtotal_cents=cents):
            return (
                f"{_who(event.actor)} asked for {len(lines)} service{'' if len(lines) == 1 else 's'} at {_usd(cents)}."
            )
        case Order.Refused(status=status):
            return f"The order was refused: {REFUSALS.get(status, status)}."
        case Order.PromotionApplied(code=code, discount_cents=off, total_cents=cents):
            return f"Promotion {code} took {_usd(off)} off, which leaves {_usd(cents)}."
        case PromotionRedemption.Reserved():
            return "The promotion's one use by this user was reserved for this order."
        case PromotionRedemption.Redeemed():
            return "The promotion's one use by this user is used up."
        case PromotionRedemption.Released():
            return "The promotion was given back: it may be used again."
        case DuplicateWindow.Opened():
            return "The duplicate window opened: the same thing cannot be paid again meanwhile."
        case DuplicateWindow.Closed(outcome=outcome, blocked_until=until):
            rest = f"blocked until {_at(until)}" if until > event.timestamp else "it may be ordered again at once"
            return f"The duplicate window closed, since {ENDINGS.get(outcome, outcome)}: {rest}."
        case Notification.Raised(message=message):
            return f"People were notified: {message}"
        case Notification.Seen():
            return f"{_who(event.actor)} saw the notification."
        case Notification.Resolved():
            return f"{_who(event.actor)} marked the notification as dealt with."
        case _:
            return _payment(event)


def _payment(event: Stream.Event) -> str:
    match event:
        case Order.PaymentAttempted(amount_cents=cents, brand=brand, last4=last4, invoice_number=invoice):
            return f"The intent to charge {_usd(cents)} to {brand} ending in {last4} was stored, as invoice {invoice}."
        case Order.PaymentWaived():
            return "Nothing is to be paid, so no card was touched."
        case Order.PaymentCharged(amount_cents=cents, transaction_id=transaction, found_by=FoundBy.ANSWER):
            return f"The gateway approved and captured {_usd(cents)}, as transaction {transaction}."
        case Order.PaymentCharged(amount_cents=cents, transaction_id=transaction):
            return f"A lookup at the gateway found {_usd(cents)} captured, as transaction {transaction}."
        case Order.PaymentDeclined(status=status, found_by=found_by):
            how = "answered" if found_by is FoundBy.ANSWER else "shows in a lookup"
            return f"The gateway {how} no: {status}."
        case Order.PaymentFailed(status=status):
            return f"The gateway refused the charge for a reason that is not the card's: {status}."
        case Order.PaymentNotSent(reason=reason):
            return f"Nothing was sent to the gateway: {reason}."
        case Order.PaymentOutcomeUnknown(reason=reason):
            return f"Whether the charge happened is unknown: {reason}."
        case Order.PaymentHeld():
            return "The gateway holds the transaction for review."
        case Order.HoldDeclineRequested():
            return "It was held for too long, so the gateway is asked to decline it."
        case Order.PaymentExpired():
            return "A complete lookup found no such charge: it never happened."
        case Order.Submitted(total_cents=cents):
            return f"The order was submitted, at {_usd(cents)}."
        case _:
            return _afterwards(event)


def _afterwards(event: Stream.Event) -> str:
    match event:
        case Order.VoidRequested(amount_cents=cents, transaction_id=transaction):
            return f"{_who(event.actor)} asked to void {_usd(cents)} of transaction {transaction}."
        case Order.PaymentVoided(transaction_id=transaction):
            return f"The gateway shows transaction {transaction} as voided."
        case Order.RefundRequested(amount_cents=cents, transaction_id=transaction):
            return f"{_who(event.actor)} asked to refund {_usd(cents)} of transaction {transaction}."
        case Order.PaymentRefunded(amount_cents=cents, refund_transaction_id=transaction):
            return f"The gateway shows the refund of {_usd(cents)}, as transaction {transaction}."
        case Order.EmailResendRequested():
            return f"{_who(event.actor)} asked to have the confirmation sent again."
        case Order.EmailAttempted(attempt=attempt):
            return f"The confirmation was about to be sent again, try {attempt}."
        case Order.EmailSent(deliveries=deliveries):
            return f"The mail provider took the confirmation for {_recipients(len(deliveries))}."
        case Order.EmailFailed(deliveries=deliveries):
            failed = sum(not delivery.succeeded for delivery in deliveries)
            return f"The confirmation could not be sent to {failed} of {_recipients(len(deliveries))}."
        case _:
            return f"{type(event).__name__} was recorded."


def _recipients(number: int) -> str:
    return f"{number} recipient" if number == 1 else f"{number} recipients"


def _who(actor: str) -> str:
    kind, _, name = actor.partition(":")
    return {"user": f"User {name}", "application": f"Application {name}", "operator": "An operator"}.get(
        kind, "The engine"
    )


def _usd(cents: int) -> str:
    return money(cents, CURRENCY)


def _at(moment: datetime) -> str:
    return utc_text(moment)

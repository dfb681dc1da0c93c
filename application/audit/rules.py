"""Which rule decided each event of an order's story, and on which inputs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from application.audit.explanation import Rule
from application.audit.refusal_rules import refusal_rule, terms_inputs
from application.audit.story import Story
from application.times import utc_text
from domain.duplicate_window import DuplicateWindow
from domain.notification import Notification
from domain.order import Order
from domain.payment import FoundBy
from domain.promotion import PromotionRedemption
from domain.stream import Stream

NOT_SENT = {
    "too-late": "too much time had passed since the intent was decided, so the charge was not sent any more",
}


def rule_of(event: Stream.Event, story: Story) -> Rule | None:
    """None where an event only records what somebody else said or asked for."""
    match event:
        case Order.Requested():
            return _priced(event, story)
        case Order.Refused():
            return refusal_rule(event, story)
        case Order.PromotionApplied():
            return _promotion(event, story)
        case DuplicateWindow.Opened() | DuplicateWindow.Closed():
            return _window(event)
        case PromotionRedemption.Event():
            return _redemption(event)
        case Notification.Raised(kind=kind, message=message, action=action):
            text = "one notification per kind and order tells people what to look at"
            return Rule("people-are-told", text, {"kind": kind, "message": message, "action": action})
        case _:
            return _payment(event, story) or _afterwards(event)


def _priced(event: Order.Requested, story: Story) -> Rule:
    lines = [
        {"slug": line.slug, "quantity": line.quantity, "base_price_cents": line.base_price_cents}
        for line in event.lines
    ]
    inputs = {
        "requester": event.requester,
        "application": event.application,
        "role": event.role,
        "designation": event.designation,
        "catalog_version": event.catalog_version,
        "lines": lines,
        "subtotal_cents": event.subtotal_cents,
        "personal_fields_given": _listed(story.personal_fields),
    }
    return Rule("catalog-price-of-that-quantity", "each line costs what the catalog says for its quantity", inputs)


def _listed(names: tuple[str, ...] | str) -> list[str] | str:
    return names if isinstance(names, str) else list(names)


def _promotion(event: Order.PromotionApplied, story: Story) -> Rule:
    known = story.terms(event.promotion_id, event.promotion_version)
    requested = story.before.requested
    inputs: dict[str, Any] = {
        "code": event.code,
        "promotion_id": str(event.promotion_id),
        "version": event.promotion_version,
        "now": utc_text(event.timestamp),
        "designation_of_requester": requested.designation if requested else None,
        **terms_inputs(known[0] if known else None),
        "terms_recorded_at": utc_text(known[1].timestamp) if known else None,
        "discounts_cents": list(event.discounts_cents),
    }
    text = "active, within its dates, for this designation: a percentage per line, halves up; an amount in proportion"
    return Rule("promotion-terms-of-that-moment", text, inputs)


def _window(event: DuplicateWindow.Opened | DuplicateWindow.Closed) -> Rule:
    if isinstance(event, DuplicateWindow.Opened):
        text = "while the payment of one thing is open, the same client cannot pay for the same thing again"
        return Rule("same-thing-once", text, {"opened_at": utc_text(event.timestamp)})
    blocked_s = max(0, round((event.blocked_until - event.timestamp).total_seconds()))
    if not blocked_s:
        text = "a definite no closes the window without a block"
    elif event.actor.startswith("system:"):
        text = "a charge found later blocks longer: the client was told that its outcome is unknown"
    else:
        text = "a yes blocks the same thing for the duplicate window"
    inputs = {
        "outcome": event.outcome,
        "closed_at": utc_text(event.timestamp),
        "blocked_until": utc_text(event.blocked_until),
        "blocked_s": blocked_s,
    }
    return Rule("same-thing-once", text, inputs)


def _redemption(event: Stream.Event) -> Rule:
    inputs: dict[str, Any] = {}
    if isinstance(event, PromotionRedemption.Reserved):
        inputs = {"promotion_id": str(event.promotion_id), "holder": event.holder}
    text = "each user may use a promotion once: reserved with the intent, used up by a yes, given back after a no"
    return Rule("one-use-per-promotion-and-user", text, inputs)


def _payment(event: Stream.Event, story: Story) -> Rule | None:
    payment = story.before.payment
    match event:
        case Order.PaymentAttempted(amount_cents=cents, invoice_number=invoice):
            text = "the intent is stored first; only the process that stored it sends the charge, and once"
            return Rule("intent-before-charge", text, {"amount_cents": cents, "invoice_number": invoice})
        case Order.PaymentWaived():
            return Rule("nothing-to-pay", "a total of zero needs no payment", {"total_cents": story.before.total_cents})
        case Order.PaymentCharged(found_by=FoundBy.LOOKUP):
            return _found(event, story, "a captured charge with this invoice, card and amount is adopted")
        case Order.PaymentDeclined(found_by=FoundBy.LOOKUP):
            return _found(event, story, "the gateway's details show that it kept no money")
        case Order.PaymentHeld(found_by=FoundBy.LOOKUP):
            return _found(event, story, "the gateway's details show it as held for review")
        case Order.PaymentCharged(codes=codes):
            text = "response code 1 with a transaction id, and for the whole amount, is a yes"
            return Rule(
                "gateway-codes", text, {"response_code": codes.response_code, "amount_cents": event.amount_cents}
            )
        case Order.PaymentDeclined(codes=codes, status=status) | Order.PaymentFailed(codes=codes, status=status):
            text = "our table of the gateway's codes says what each answer means"
            return Rule("gateway-codes", text, {"code": codes.reason_code or codes.message_code, "status": status})
        case Order.PaymentHeld(codes=codes):
            text = "response code 4 with these reasons is neither a yes nor a no: the gateway's review decides"
            return Rule("gateway-codes", text, {"code": codes.reason_code})
        case Order.PaymentNotSent(reason=reason):
            text = NOT_SENT.get(reason, "the connection was never made, so nothing can have been charged")
            return Rule("never-sent", text, {"cause": reason, **_since(payment, event.timestamp)})
        case Order.PaymentOutcomeUnknown(reason=reason):
            text = "no readable answer is no decline: recovery looks the charge up until it is known"
            return Rule("unknown-is-a-state", text, {"cause": reason, **_since(payment, event.timestamp)})
        case Order.HoldDeclineRequested():
            return Rule("held-too-long", "a hold is ended by us after its limit", _since(payment, event.timestamp))
        case Order.PaymentExpired(looked_up_at=looked_up_at):
            text = "a complete lookup, begun long enough after the intent, found no charge of this invoice"
            return Rule(
                "not-found-at-gateway", text, {**_since(payment, looked_up_at), "looked_up_at": utc_text(looked_up_at)}
            )
        case Order.Submitted(total_cents=cents):
            paid = payment.state.value if payment else None
            text = "submitted in the same commit as its charge, or because nothing was to be paid"
            return Rule("submitted-if-and-only-if-paid", text, {"payment_state": paid, "total_cents": cents})
        case _:
            return None


def _found(event: Any, story: Story, text: str) -> Rule:
    payment = story.before.payment
    inputs = {
        "invoice_number": payment.invoice_number if payment else None,
        "transaction_id": event.transaction_id,
        "found_by": event.found_by.value,
        "last4": payment.last4 if payment else None,
        **_since(payment, event.timestamp),
    }
    return Rule("found-by-invoice-number", text, inputs)


def _since(payment: Any, until: datetime) -> dict[str, Any]:
    """How long after the intent."""
    if payment is None:
        return {}
    waited_s = round((until - payment.attempted_at).total_seconds(), 3)
    return {"attempted_at": utc_text(payment.attempted_at), "waited_s": waited_s}


def _afterwards(event: Stream.Event) -> Rule | None:
    match event:
        case (
            Order.VoidRequested(reason=reason, unexpected=True) | Order.RefundRequested(reason=reason, unexpected=True)
        ):
            text = "an order that ended without a charge may not keep one: it is taken back"
            return Rule("unexpected-charge", text, {"cause": reason, "amount_cents": event.amount_cents})
        case Order.VoidRequested(reason=reason) | Order.RefundRequested(reason=reason):
            inputs = {"asked_by": event.actor, "reason": reason, "amount_cents": event.amount_cents}
            return Rule("asked-for-by-a-person", "an operator may have the money taken back", inputs)
        case Order.EmailResendRequested(reason=reason):
            inputs = {"asked_by": event.actor, "reason": reason}
            return Rule("asked-for-by-a-person", "an operator may have it sent again", inputs)
        case Order.PaymentVoided() | Order.PaymentRefunded():
            return Rule("believed-when-shown", "money is taken back once the gateway's own details show it", {})
        case Order.EmailSent(deliveries=deliveries):
            inputs = {"statuses": [delivery.status for delivery in deliveries]}
            return Rule("every-recipient", "sent, queued and scheduled count as sent", inputs)
        case Order.EmailFailed(deliveries=deliveries, reason=cause):
            inputs = {"statuses": [delivery.status for delivery in deliveries], "cause": cause}
            return Rule("every-recipient", "any other end for any recipient counts as failed", inputs)
        case _:
            return None

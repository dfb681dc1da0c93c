"""Why an order was refused: the rule, and what was known when it was asked."""

from __future__ import annotations

from typing import Any

from application.audit.explanation import Rule
from application.audit.story import Story
from application.times import utc_text
from domain.duplicate_window import DuplicateWindow
from domain.order import Order
from domain.promotion import PromotionRedemption, PromotionTerms
from domain.refusals import PRECEDENCE

_TEXTS = {
    "unknown-code": "no promotion has that code",
    "inactive": "the promotion is not active",
    "not-started": "the promotion has not begun",
    "ended": "the promotion is over",
    "application-has-no-designation": "a promotion for a kind of user refuses an application",
    "other-designation": "the promotion is meant for another kind of user",
    "earlier-payment-open": "the outcome of an earlier payment for the same thing is not known yet",
    "just-paid": "the same thing was paid a moment ago",
    "already-redeemed": "this user has used the promotion",
    "held-by-another-order": "another order of this user holds the promotion right now",
}


def refusal_rule(event: Order.Refused, story: Story) -> Rule:
    """The first rule, in the order of precedence, that forbade the order."""
    inputs: dict[str, Any] = {"now": utc_text(event.timestamp)}
    match event.status:
        case "duplicate-payment":
            inputs |= _window_inputs(event, story)
        case "invalid-promotion":
            inputs |= _promotion_inputs(event, story)
        case "promotion-expended":
            inputs |= _redemption_inputs(event, story)
        case "card-expired":
            inputs["last_day"] = event.rule.removeprefix("last-day-")
    inputs["rules_in_order"] = [refusal.status for refusal in PRECEDENCE]
    return Rule(event.rule, _TEXTS.get(event.rule, "the card is past the last day of its month, UTC"), inputs)


def _window_inputs(event: Order.Refused, story: Story) -> dict[str, Any]:
    history = story.earlier(story.window)
    opened = next((found for found in reversed(history) if isinstance(found, DuplicateWindow.Opened)), None)
    closed = history[-1] if history and isinstance(history[-1], DuplicateWindow.Closed) else None
    until = event.blocked_until
    return {
        "earlier_order_id": _text(event.earlier_order_id),
        "opened_at": utc_text(opened.timestamp) if opened else None,
        "closed_at": utc_text(closed.timestamp) if closed else None,
        "outcome": closed.outcome if closed else None,
        "blocked_until": utc_text(until) if until else None,
        "seconds_left": round((until - event.timestamp).total_seconds(), 3) if until else None,
    }


def _promotion_inputs(event: Order.Refused, story: Story) -> dict[str, Any]:
    requested = story.before.requested
    designation = requested.designation if requested else None
    if event.promotion_id is None:
        return {"designation_of_requester": designation, "promotion_id": None}
    promotion = story.promotion_then(event.promotion_id)
    return {
        "promotion_id": str(event.promotion_id),
        "designation_of_requester": designation,
        "version": promotion.version,
        "active": promotion.active,
        **terms_inputs(promotion.terms),
    }


def _redemption_inputs(event: Order.Refused, story: Story) -> dict[str, Any]:
    history = story.earlier(story.redemption)
    reserved = next((found for found in reversed(history) if isinstance(found, PromotionRedemption.Reserved)), None)
    last = history[-1] if history else None
    redeemed = last if isinstance(last, PromotionRedemption.Redeemed) else None
    return {
        "promotion_id": _text(event.promotion_id),
        "held_by_order": _text(event.earlier_order_id),
        "reserved_at": utc_text(reserved.timestamp) if reserved else None,
        "redeemed_at": utc_text(redeemed.timestamp) if redeemed else None,
    }


def terms_inputs(terms: PromotionTerms | None) -> dict[str, Any]:
    """The terms as inputs of a rule; nothing where they are not in the log."""
    if terms is None:
        return {}
    return {
        "percent_off": terms.percent_off,
        "amount_off_cents": terms.amount_off_cents,
        "designation_of_promotion": terms.designation,
        "starts_at": utc_text(terms.starts_at) if terms.starts_at else None,
        "ends_at": utc_text(terms.ends_at) if terms.ends_at else None,
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)

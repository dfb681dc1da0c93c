"""How an order's state is told to a client. The answer of a first request and of its repeats is derived alike."""

from __future__ import annotations

from datetime import datetime
from math import ceil
from typing import Any

from application.commands import Outcome
from domain.order import Order
from domain.order_events import EmailState, OrderState
from domain.payment import PaymentState
from domain.policy import Policy

SUCCESS = "action-successful"
GATEWAY_ERROR = "external-application-error"
KEYS_REFUSED = "invalid-payment-processor-api-keys"

_PARAM_OF_REFUSAL = {
    "invalid-promotion": "promotion_code",
    "promotion-expended": "promotion_code",
    "card-expired": "payment_method_id",
}


def outcome_of(order: Order, /, **more: Any) -> Outcome:
    """The answer that the order's current state calls for; `more`: fields of it that the state does not tell."""
    payment = order.payment
    codes = payment.codes if payment else None
    match order.state:
        case OrderState.REFUSED:
            assert order.refused is not None
            status = order.refused.status
            return Outcome(status, order.id, param=_PARAM_OF_REFUSAL.get(status), **more)
        case OrderState.PAYMENT_OPEN | None:
            return Outcome(GATEWAY_ERROR, order.id, detail="payment-outcome-unknown", gateway=codes, **more)
        case OrderState.PAYMENT_HELD:
            return Outcome(GATEWAY_ERROR, order.id, detail="payment-held-for-review", gateway=codes, **more)
        case OrderState.DECLINED:
            return Outcome(order.ending_status or GATEWAY_ERROR, order.id, gateway=codes, **more)
        case OrderState.PAYMENT_FAILED | OrderState.PAYMENT_EXPIRED:
            status = order.ending_status or GATEWAY_ERROR
            return Outcome(status, order.id, detail=_failure_detail(order), gateway=codes, **more)
        case _:
            failed = order.state is OrderState.SUBMITTED and order.email_state is EmailState.FAILED
            return Outcome("mandrill-email-failed" if failed else SUCCESS, order.id, **more)


def _failure_detail(order: Order) -> str | None:
    assert order.payment is not None
    if order.ending_status != GATEWAY_ERROR:
        return None
    match order.payment.state:
        case PaymentState.NOT_SENT:
            return "not-sent-in-time" if order.payment.reason == "too-late" else "gateway-unreachable"
        case PaymentState.EXPIRED:
            return "payment-expired"
        case _:
            return "gateway-error"


def duplicate_of(earlier: Order, blocked_until: datetime | None, policy: Policy, now: datetime) -> Outcome:
    """duplicate-payment: shows the earlier order, and says when asking again can make a difference."""
    wait_s = (blocked_until - now).total_seconds() if blocked_until else _open_for_s(earlier, policy, now)
    return Outcome(status="duplicate-payment", order_id=earlier.id, retry_after_seconds=max(1, ceil(wait_s)))


def _open_for_s(earlier: Order, policy: Policy, now: datetime) -> float:
    """How long the earlier payment may stay open: until it expires, or until its own window has passed."""
    payment = earlier.payment
    if payment is None:
        return policy.duplicate_window_s
    open_s = (now - payment.attempted_at).total_seconds()
    match payment.state:
        case PaymentState.UNKNOWN:
            return policy.payment_expiry_s - open_s
        case PaymentState.HELD:
            return policy.held_expiry_s - open_s
        case _:
            return policy.duplicate_window_s

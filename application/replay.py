"""Answers a repeat under an idempotency key: from the order's current state, once the first request has finished."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from application.answers import duplicate_of, outcome_of
from application.commands import Outcome, SubmitOrder
from application.order_streams import OrderStreams
from application.ports import Clock
from domain.order import Order
from domain.order_events import EmailState, OrderState
from domain.payment import PaymentState
from domain.policy import Policy

POLL_S = 0.1
EMAIL_TIME_S = 10.0  # how long the first request may take over its email


async def replay(streams: OrderStreams, clock: Clock, policy: Policy, command: SubmitOrder, order: Order) -> Outcome:
    """The current state as an answer; `invalid-param` if the key was used for another request."""
    assert order.requested is not None
    if order.requested.request_digest != command.request_digest:
        return Outcome(status="invalid-param", param="Idempotency-Key", detail="key-used-for-another-request")
    while _still_running(order, clock.now(), policy):
        await clock.sleep(POLL_S)
        order = await streams.order(order.id)
    refused = order.refused
    if refused and refused.status == "duplicate-payment" and refused.earlier_order_id:
        earlier = await streams.order(refused.earlier_order_id)
        answer = duplicate_of(earlier, refused.blocked_until, policy, clock.now())
    else:
        answer = outcome_of(order)
    return replace(answer, replayed=True, position=await streams.head())


def _still_running(order: Order, now: datetime, policy: Policy) -> bool:
    """The first request may still be at it: it would have ended by itself within these times."""
    payment = order.payment
    if order.state is OrderState.PAYMENT_OPEN and payment and payment.state is PaymentState.ATTEMPTED:
        return now < payment.attempted_at + timedelta(seconds=policy.charge_time_s)
    if order.state is OrderState.SUBMITTED and order.email_state is EmailState.PENDING and order.submitted_at:
        return now < order.submitted_at + timedelta(seconds=EMAIL_TIME_S)
    return False

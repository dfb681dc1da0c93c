"""Whatever the gateway answers, the store does and clients repeat: the promises about money hold."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from application.commands import Outcome, SubmitOrder
from application.event_log import CommitUnknown, StoreUnavailable
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
)
from application.stored_events import CODEC
from domain.order import Order
from domain.order_events import OrderState
from domain.stream import Stream
from tests.application.stand_ins import (
    Step,
    conflict,
    not_written_and_unknown,
    unavailable,
    written,
    written_but_unknown,
)
from tests.application.world import POLICY, SPRING10, World, a_command
from tests.helpers import run

CODES = GatewayCodes("3", "5", "E00027")
GATEWAY_ERROR = "external-application-error"
OUTCOMES: st.SearchStrategy[ChargeOutcome | str] = st.sampled_from(
    [
        "approved",  # under a transaction id of its own
        "approved",
        Declined("declined-payment", CODES),
        GatewayFailed(GATEWAY_ERROR, CODES),
        HeldForReview("70001", CODES),
        NotSent("dns"),
        OutcomeUnknown("time-out"),
        DuplicateAtGateway(CODES),
    ]
)
STEPS: st.SearchStrategy[Step] = st.sampled_from(
    [written] * 8 + [unavailable, conflict, written_but_unknown, not_written_and_unknown]
)

# What an answer may say of the order that it shows, by the order's state. A duplicate shows the earlier order, whose
# outcome may have come in since.
DUPLICATE = ("duplicate-payment", None)
AGREES: dict[OrderState | None, set[tuple[str, str | None]]] = {
    OrderState.SUBMITTED: {("action-successful", None), DUPLICATE},
    OrderState.DECLINED: {("declined-payment", None), DUPLICATE},
    OrderState.PAYMENT_FAILED: {(GATEWAY_ERROR, "gateway-error"), (GATEWAY_ERROR, "gateway-unreachable"), DUPLICATE},
    OrderState.PAYMENT_HELD: {(GATEWAY_ERROR, "payment-held-for-review"), DUPLICATE},
    OrderState.PAYMENT_OPEN: {(GATEWAY_ERROR, "payment-outcome-unknown"), ("application-crash", None), DUPLICATE},
    OrderState.REFUSED: {("promotion-expended", None)},
    None: {("invalid-param", "key-used-for-another-request")},
}
PAID_OR_OPEN = (OrderState.SUBMITTED, OrderState.PAYMENT_OPEN, OrderState.PAYMENT_HELD)


@dataclass(frozen=True)
class Asked:
    """One request: which house, with the promotion or not, under which idempotency key."""

    house: int
    promotion: bool
    key: str | None

    def command(self) -> SubmitOrder:
        return a_command(
            self.house,
            SPRING10 if self.promotion else None,
            idempotency_key=self.key,
            request_digest=f"{self.house} {self.promotion}",
        )


@dataclass(frozen=True)
class Moment:
    """Requests that come at the same time, after a pause; what the gateway and the store will do then."""

    asked: list[Asked]
    outcomes: list[ChargeOutcome | str]
    steps: list[Step]
    pause_s: float


ASKED = st.builds(Asked, st.integers(1, 2), st.booleans(), st.sampled_from([None, None, "a", "b"]))
MOMENTS = st.lists(
    st.builds(
        Moment,
        st.lists(ASKED, min_size=1, max_size=4),
        st.lists(OUTCOMES, min_size=4, max_size=4),
        st.lists(STEPS, max_size=8),
        st.sampled_from([0.0, 1.0, 119.0, 121.0, 1000.0]),
    ),
    min_size=1,
    max_size=6,
)


async def answered(world: World, asked: Asked) -> Outcome | None:
    """The answer; None where the intent could not be stored, which the API answers with application-crash."""
    try:
        return await world.handler(asked.command())
    except (StoreUnavailable, CommitUnknown):
        return None


def lived_through(moments: Sequence[Moment]) -> tuple[World, list[tuple[Outcome, OrderState | None]]]:
    """All of it; each answer with the state of the order that it shows, as that was right after."""
    world = World()
    told: list[tuple[Outcome, OrderState | None]] = []
    for moment in moments:
        world.clock.advance(moment.pause_s)
        world.recorder.script.clear()
        world.stores(*moment.steps)
        world.gateway.outcomes.clear()
        for outcome in moment.outcomes:
            number = str(60_000 + len(told) * 10 + len(world.gateway.outcomes))
            world.gateway.outcomes.append(Approved(number, "000123", CODES) if isinstance(outcome, str) else outcome)

        async def at_once(asked: list[Asked] = moment.asked) -> list[Outcome | None]:
            return await asyncio.gather(*(answered(world, one) for one in asked))

        for answer in run(at_once()):
            if answer is not None:
                told.append((answer, world.order(answer.order_id).state if answer.order_id else None))
    return world, told


def log_of(world: World) -> list[Stream.Event]:
    return [CODEC.decode(stored) for stored in run(world.recorder.notifications(1, 100_000))]


@settings(max_examples=150, deadline=None)
@given(MOMENTS)
def test_no_order_is_charged_twice_nor_before_its_intent_is_stored(moments: list[Moment]) -> None:
    world, _ = lived_through(moments)

    attempts = {e.invoice_number: e.amount_cents for e in log_of(world) if isinstance(e, Order.PaymentAttempted)}
    sent = Counter(charge.invoice_number for charge in world.gateway.charges)
    assert all(times == 1 for times in sent.values())
    assert all(attempts[charge.invoice_number] == charge.amount_cents for charge in world.gateway.charges)
    intended = charged = 0
    for entry in world.timeline:
        if isinstance(entry, tuple):
            intended += "order.payment-attempted" in entry
        else:
            charged += entry == "gateway.charge"
        assert charged <= intended


@settings(max_examples=150, deadline=None)
@given(MOMENTS)
def test_every_answer_agrees_with_the_state_of_the_order_it_shows(moments: list[Moment]) -> None:
    _, told = lived_through(moments)

    for answer, state in told:
        assert (answer.status, answer.detail) in AGREES[state]


@settings(max_examples=150, deadline=None)
@given(MOMENTS)
def test_one_thing_is_never_attempted_while_an_earlier_outcome_is_open_or_a_yes_is_fresh(moments: list[Moment]) -> None:
    world, _ = lived_through(moments)

    things: dict[Any, UUID] = {}  # order → the thing that it is for
    open_orders: dict[UUID, Any] = {}  # thing → order
    paid_at: dict[UUID, datetime] = {}
    for event in log_of(world):
        order_id = event.originator_id
        match event:
            case Order.Requested(duplicate_window_id=thing):
                things[order_id] = thing
            case Order.PaymentAttempted(timestamp=at):
                thing = things[order_id]
                assert thing not in open_orders
                assert thing not in paid_at or at >= paid_at[thing] + timedelta(seconds=POLICY.duplicate_window_s)
                open_orders[thing] = order_id
            case Order.PaymentCharged(timestamp=at):
                paid_at[things[order_id]] = at
                assert open_orders.pop(things[order_id]) == order_id
            case Order.PaymentDeclined() | Order.PaymentFailed() | Order.PaymentNotSent():
                assert open_orders.pop(things[order_id]) == order_id


@settings(max_examples=150, deadline=None)
@given(MOMENTS)
def test_a_promotion_is_in_one_order_at_most_that_is_paid_or_open(moments: list[Moment]) -> None:
    world, _ = lived_through(moments)

    applied = {event.originator_id for event in log_of(world) if isinstance(event, Order.PromotionApplied)}
    using = [order_id for order_id in applied if world.order(order_id).state in PAID_OR_OPEN]
    assert len(using) <= 1
    assert world.redemption().held_by == (using[0] if using else None)

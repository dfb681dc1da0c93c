"""Which answers of the vendors are timed as calls, and which were only found out later."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from api.pages.orders.calls import calls_of
from domain.order import Order
from domain.payment import FoundBy
from domain.stream import Metadata, Stream
from tests.domain.examples import CODES, NOW

ADA, RECOVERY, OUTBOX, CORRECTIONS = "user:1", "system:recovery", "system:outbox", "system:corrections"
CHARGED = {"transaction_id": "60001", "authorization_code": "A", "amount_cents": 100, "codes": CODES}


class History:
    """An order's events, each so many seconds after the first."""

    def __init__(self) -> None:
        self.order = Order.empty(UUID(int=1))
        self.then(0, ADA, Order.PaymentAttempted, invoice_number="I", amount_cents=100, currency="USD",
                  payment_method_id=101, brand="Visa", last4="1111", customer_profile_id="1",
                  payment_profile_id="2")  # fmt: skip

    def then(self, seconds: float, actor: str, event: type[Stream.Event], **fields: Any) -> History:
        self.order.record(Metadata(NOW + timedelta(seconds=seconds), actor, "req_1", "req_1"), event, **fields)
        return self

    def told(self) -> list[tuple[str, float, bool]]:
        """What was asked for, the seconds until its answer, and whether that was only found out."""
        events = [event for event in self.order.pending_events if isinstance(event, Stream.Event)]
        calls = calls_of(events)
        found = [calls[id(event)] for event in events if id(event) in calls]
        return [(call.what, call.took_s, call.found_out) for call in found]


def test_the_charge_and_the_first_send_are_calls() -> None:
    history = History().then(1, ADA, Order.PaymentCharged, found_by=FoundBy.ANSWER, **CHARGED)
    history.then(1, ADA, Order.Submitted, total_cents=100).then(3, ADA, Order.EmailSent, deliveries=())

    assert history.told() == [("charge", 1.0, False), ("send", 2.0, False)]


def test_what_a_lookup_finds_is_found_out() -> None:
    history = History().then(25, ADA, Order.PaymentOutcomeUnknown, reason="time-out", codes=CODES)
    history.then(85, RECOVERY, Order.PaymentCharged, found_by=FoundBy.LOOKUP, **CHARGED)

    assert history.told() == [("charge", 25.0, False), ("search", 60.0, True)]


def test_an_expiry_is_found_out() -> None:
    assert History().then(900, RECOVERY, Order.PaymentExpired, looked_up_at=NOW).told() == [("search", 900.0, True)]


def test_an_outcome_that_another_process_stores_is_found_out() -> None:
    history = History().then(40, RECOVERY, Order.PaymentOutcomeUnknown, reason="crashed", codes=CODES)

    assert history.told() == [("charge", 40.0, True)]


def test_a_void_is_found_out_and_a_try_of_the_outbox_is_a_call() -> None:
    history = History().then(1, ADA, Order.PaymentCharged, found_by=FoundBy.ANSWER, **CHARGED)
    history.then(1, ADA, Order.Submitted, total_cents=100)
    history.then(200, OUTBOX, Order.EmailAttempted, attempt=1, email_ids=("e",))
    history.then(202, OUTBOX, Order.EmailSent, deliveries=())
    history.then(
        300, "user:2", Order.VoidRequested, transaction_id="60001", amount_cents=100, reason="x", unexpected=False
    )
    history.then(700, CORRECTIONS, Order.PaymentVoided, transaction_id="60001", amount_cents=100)

    assert history.told()[1:] == [("send", 2.0, False), ("void", 400.0, True)]

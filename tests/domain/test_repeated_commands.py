"""Every command may come twice: on any history, the second time records nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from domain import endings
from domain.notification import Notification
from domain.order import UnexpectedCharge
from domain.order_events import Delivery, EmailState
from domain.payment import FoundBy
from domain.promotion import Promotion, PromotionTerms
from domain.stream import Metadata
from domain.submission import Guards
from tests.domain.examples import (
    CODES,
    EVERYTHING_OFF,
    NOW,
    POLICY,
    PROMOTION_ID,
    SPRING10,
    all_names,
    charged,
    declined,
    fresh,
    metadata,
    names,
    submission,
    submitted,
)

Command = Callable[[Guards, Metadata], object]


def _charge_or_take_back(guards: Guards, at: Metadata, transaction_id: str) -> None:
    try:
        charged(guards, at, transaction_id)
    except UnexpectedCharge as charge:
        guards.order.request_void(
            at, transaction_id=charge.transaction_id, amount_cents=1, reason="late", unexpected=True
        )


COMMANDS: dict[str, Command] = {
    "submit": lambda g, at: submitted(submission(promotion=SPRING10), g, at),
    "charge": lambda g, at: _charge_or_take_back(g, at, "60001"),
    "another charge": lambda g, at: _charge_or_take_back(g, at, "60009"),
    "decline": declined,
    "fail": lambda g, at: endings.take_failure(
        g, at, status="external-application-error", reason="gateway-error", codes=CODES
    ),
    "not sent": lambda g, at: endings.take_not_sent(g, at, "connection-refused"),
    "unknown": lambda g, at: g.order.record_unknown(at, "time-out", CODES),
    "held": lambda g, at: g.order.record_held(at, transaction_id="60001", codes=CODES, found_by=FoundBy.ANSWER),
    "expire": lambda g, at: endings.take_expiry(g, at, POLICY, looked_up_at=at.recorded_at + timedelta(hours=1)),
    "email sent": lambda g, at: g.order.record_emails(at, [Delivery("e1", "sent")]),
    "void": lambda g, at: g.order.record_void(at, "60009"),
}


def run(guards: Guards, name: str, at: Metadata) -> None:
    if name != "submit" and (guards.order.payment is None):
        return  # nothing was attempted, so nothing can be told of it
    if name == "submit" and guards.order.version:
        return  # the process manager answers a repeat from the order that is there
    COMMANDS[name](guards, at)


@settings(max_examples=400)
@given(st.lists(st.sampled_from(sorted(COMMANDS)), max_size=8), st.sampled_from(sorted(COMMANDS)))
def test_a_repeated_command_yields_no_new_event(history: list[str], command: str) -> None:
    guards = fresh()
    for step, name in enumerate(["submit", *history, command]):
        run(guards, name, metadata(NOW + timedelta(seconds=step), f"req_{step}"))
    all_names(guards)

    run(guards, command, metadata(NOW + timedelta(seconds=99), "req_again"))

    assert all_names(guards) == []


@settings(max_examples=400)
@given(st.lists(st.sampled_from(sorted(COMMANDS)), max_size=10))
def test_in_any_history_an_attempt_has_one_ending_and_the_guards_agree_with_it(history: list[str]) -> None:
    guards = fresh()
    events: list[str] = []
    for step, name in enumerate(["submit", *history]):
        run(guards, name, metadata(NOW + timedelta(seconds=step)))
        events += all_names(guards)

    endings_seen = [
        name
        for name in events
        if name in {"PaymentCharged", "PaymentDeclined", "PaymentFailed", "PaymentNotSent", "PaymentExpired"}
    ]
    assert guards.redemption is not None
    assert len(endings_seen) <= 1
    assert ("Submitted" in events) == (endings_seen == ["PaymentCharged"])
    assert guards.redemption.redeemed == (endings_seen == ["PaymentCharged"])
    assert guards.window.is_open == (endings_seen == [])
    assert (guards.redemption.held_by is None) == (endings_seen not in ([], ["PaymentCharged"]))


def test_a_zero_total_submitted_twice_records_nothing_the_second_time() -> None:
    guards = submitted(submission(promotion=EVERYTHING_OFF, card=None), fresh())
    all_names(guards)

    guards.order.waive_payment(metadata())

    assert all_names(guards) == []


def test_a_promotion_defined_twice_alike_records_one_event_and_a_change_records_another() -> None:
    promotion = Promotion.empty(PROMOTION_ID)
    changed = PromotionTerms(PROMOTION_ID, 0, "SPRING10", percent_off=20)

    promotion.define(metadata(), SPRING10)
    promotion.define(metadata(), SPRING10)
    promotion.define(metadata(), changed)
    promotion.define(metadata(), PromotionTerms(PROMOTION_ID, 0, "SPRING10", percent_off=20, active=False))
    promotion.define(metadata(), PromotionTerms(PROMOTION_ID, 0, "SPRING10", percent_off=20, active=False))
    promotion.define(metadata(), changed)

    assert names(promotion) == ["Created", "Changed", "Deactivated", "Changed"]


def test_a_notification_is_raised_seen_and_resolved_once_each() -> None:
    notification = Notification.empty(UUID(int=7))
    for _ in range(2):
        notification.raise_once(metadata(), kind="email-failed", order_id=None, message="m", action="a")
    for _ in range(2):
        notification.see(metadata())
    for _ in range(2):
        notification.resolve(metadata(), "done")
    notification.see(metadata())

    assert names(notification) == ["Raised", "Seen", "Resolved"]


def test_an_email_that_failed_may_still_be_sent_and_one_that_was_sent_stays_sent() -> None:
    guards = charged(submitted(submission(), fresh()))
    guards.order.record_emails(metadata(), [Delivery("e1", "unknown", None, "time-out")])
    failed_first = guards.order.email_state

    guards.order.record_emails(metadata(), [Delivery("e1", "sent", "m1")])
    guards.order.record_emails(metadata(), [Delivery("e1", "failed", None, "late")])

    assert (failed_first, guards.order.email_state) == (EmailState.FAILED, EmailState.SENT)
    assert names(guards.order)[-2:] == ["EmailFailed", "EmailSent"]

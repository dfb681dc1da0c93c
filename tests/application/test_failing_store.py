"""What happens where the database fails at one of the three commits."""

from __future__ import annotations

import pytest

from application.event_log import MAX_RACES, CommitUnknown, StoreUnavailable
from application.order_streams import RETRY_WAITS_S
from application.ports import Declined, GatewayCodes
from domain.order_events import EmailState, OrderState
from tests.application.stand_ins import (
    Step,
    conflict,
    not_written_and_unknown,
    unavailable,
    written,
    written_but_unknown,
)
from tests.application.world import INTENT, PAID, SPRING10, World, a_command, succeeded

DECLINED = Declined("declined-payment", GatewayCodes("2", "2", "I00001"), "60001")
NO = ("order.payment-declined", "duplicate-window.closed")


# --- T1 ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "failure"), [(unavailable, StoreUnavailable), (not_written_and_unknown, CommitUnknown)]
)
def test_where_the_intent_cannot_be_stored_for_certain_nothing_is_sent(step: Step, failure: type[Exception]) -> None:
    world = World()
    world.stores(step)

    with pytest.raises(failure):
        world.submit(a_command())

    assert world.timeline == []


def test_an_intent_of_unknown_commit_is_not_sent_even_if_it_was_written() -> None:
    world = World()
    world.stores(written_but_unknown)

    with pytest.raises(CommitUnknown):
        world.submit(a_command())

    assert world.timeline == [INTENT]


def test_a_race_that_is_lost_again_and_again_ends_without_a_charge() -> None:
    world = World()
    world.stores(*[conflict] * MAX_RACES)

    with pytest.raises(StoreUnavailable):
        world.submit(a_command())

    assert world.timeline == []


# --- T2 ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("failures", [1, len(RETRY_WAITS_S)])
@pytest.mark.parametrize("failure", [unavailable, not_written_and_unknown])
def test_storing_the_outcome_is_tried_again_after_growing_waits(failure: Step, failures: int) -> None:
    world = World()
    world.stores(written, *[failure] * failures)

    answer = world.submit(a_command())

    assert succeeded(answer)
    assert world.timeline == [INTENT, "gateway.charge", PAID, "mailer.send", ("order.email-sent",)]
    assert world.clock.slept_s == list(RETRY_WAITS_S[:failures])


def test_an_outcome_that_cannot_be_stored_is_application_crash_with_the_order_still_open() -> None:
    world = World()
    world.stores(written, *[unavailable] * (len(RETRY_WAITS_S) + 1))

    answer = world.submit(a_command(promotion=SPRING10))

    order = world.order(answer.order_id)
    assert answer.status == "application-crash"
    assert order.state is OrderState.PAYMENT_OPEN
    assert world.redemption().held_by == order.id
    assert world.window_of(order.id).is_open
    assert world.calls == ["gateway.charge"]


@pytest.mark.parametrize("declined", [False, True])
def test_an_outcome_of_unknown_commit_that_was_written_is_not_stored_twice(declined: bool) -> None:
    world = World()
    world.gateway.outcomes.extend([DECLINED] if declined else [])
    world.stores(written, written_but_unknown)

    answer = world.submit(a_command())

    assert answer.status == ("declined-payment" if declined else "action-successful")
    assert world.stored[:2] == [INTENT, NO if declined else PAID]
    assert len(world.stored) == (2 if declined else 3)
    assert len(world.gateway.charges) == 1


@pytest.mark.parametrize("steps", [(written,), (written, written)])
def test_the_position_of_the_answer_covers_what_was_written_under_an_unknown_commit(steps: tuple[Step, ...]) -> None:
    world = World()
    world.stores(*steps, written_but_unknown)
    if len(steps) == 1:
        world.gateway.outcomes.append(DECLINED)

    assert world.submit(a_command()).position == world.position()


# --- T3 ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [unavailable, not_written_and_unknown])
def test_where_the_emails_end_cannot_be_stored_the_order_stays_submitted_and_the_answer_is_success(
    failure: Step,
) -> None:
    world = World()
    world.stores(written, written, *[failure] * (len(RETRY_WAITS_S) + 1))

    answer = world.submit(a_command())

    order = world.order(answer.order_id)
    assert succeeded(answer)
    assert (order.state, order.email_state) == (OrderState.SUBMITTED, EmailState.PENDING)
    assert world.timeline == [INTENT, "gateway.charge", PAID, "mailer.send"]
    assert answer.position == world.position()


def test_an_email_of_unknown_commit_that_was_written_is_not_stored_twice() -> None:
    world = World()
    world.stores(written, written, written_but_unknown)

    answer = world.submit(a_command())

    assert succeeded(answer)
    assert world.events_of(answer.order_id).count("EmailSent") == 1

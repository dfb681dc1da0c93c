"""The confirmation email: one message per recipient, sent once, and how it went."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from domain.order_events import Delivery, EmailState, OrderState
from tests.application.stand_ins import Write, written, written_but_unknown
from tests.application.world import CLIENT, IDS, INTENT, PAID, World, a_command, succeeded

DESK, BOSS = "desk@ada.example.com", "boss@ada.example.com"
TEAM = replace(CLIENT, additional_emails=(DESK, BOSS))
ORDER_ID = UUID(int=1)


def test_every_recipient_gets_one_message_of_its_own_with_a_stable_email_id() -> None:
    world = World()

    answer = world.submit(a_command(client=TEAM))

    assert answer.order_id is not None
    assert [email.to for email in world.mailer.sent] == [CLIENT.email, DESK, BOSS]
    assert [email.email_id for email in world.mailer.sent] == [
        IDS.email_id(answer.order_id, address) for address in (CLIENT.email, DESK, BOSS)
    ]
    assert {email.order_id for email in world.mailer.sent} == {answer.order_id}


def test_an_address_that_is_named_twice_gets_one_message() -> None:
    world = World()

    world.submit(a_command(client=replace(CLIENT, additional_emails=(CLIENT.email.upper(), DESK, DESK))))

    assert len(world.mailer.sent) == 2


def test_the_subject_names_the_order() -> None:
    world = World()

    answer = world.submit(a_command())

    assert world.order(answer.order_id).number in world.mailer.sent[0].subject


def test_how_it_went_is_stored_per_recipient_by_email_id_and_never_by_address() -> None:
    world = World()

    answer = world.submit(a_command(client=TEAM))

    order = world.order(answer.order_id)
    assert {email_id: delivery.status for email_id, delivery in order.deliveries.items()} == {
        email.email_id: "sent" for email in world.mailer.sent
    }


@pytest.mark.parametrize("status", ["queued", "scheduled"])
def test_a_message_that_waits_at_the_provider_is_a_success(status: str) -> None:
    world = World()
    world.mailer.endings[CLIENT.email] = (status, None)

    assert succeeded(world.submit(a_command()))


@pytest.mark.parametrize("status", ["rejected", "invalid", "failed", "not-sent", "unknown"])
def test_any_other_end_for_any_recipient_is_mandrill_email_failed_with_one_notification(status: str) -> None:
    world = World()
    world.mailer.endings |= {DESK: (status, "slug"), BOSS: (status, "slug")}

    answer = world.submit(a_command(client=TEAM))

    order = world.order(answer.order_id)
    assert answer.status == "mandrill-email-failed"
    assert (order.state, order.email_state) == (OrderState.SUBMITTED, EmailState.FAILED)
    assert world.stored[2] == ("order.email-failed", "notification.raised")
    assert world.notifications() == [("email-failed", order.id)]


def test_no_mail_is_sent_more_than_thirty_seconds_after_the_clock_was_read_before_the_ending() -> None:
    world = World()

    async def slow(write: Write) -> int:
        position = await write()
        world.clock.advance(30.1)
        return position

    world.stores(written, slow)

    answer = world.submit(a_command())

    assert answer.status == "mandrill-email-failed"
    assert world.timeline == [INTENT, "gateway.charge", PAID, ("order.email-failed", "notification.raised")]


def test_no_mail_is_sent_for_an_order_that_recovery_submitted_so_long_ago_that_the_outbox_may_have_begun() -> None:
    world = World()

    async def adopted_long_ago() -> None:
        await world.adopt(ORDER_ID, "60001")
        world.clock.advance(121)

    world.meanwhile(adopted_long_ago)

    world.submit(a_command())

    assert world.mailer.sent == []


def test_a_failed_email_does_not_undo_what_the_outbox_has_achieved_meanwhile() -> None:
    world = World()
    world.mailer.endings[CLIENT.email] = ("unknown", "time-out")

    async def the_outbox_sends() -> None:
        world.mailer.while_sending = None
        email_id = world.mailer.sent[0].email_id
        await world.recovery_takes(
            ORDER_ID, lambda guards, at: guards.order.record_emails(at, [Delivery(email_id, "sent")])
        )

    world.mailer.while_sending = the_outbox_sends

    assert succeeded(world.submit(a_command()))
    assert world.events_of(ORDER_ID)[-1] == "EmailSent"
    assert world.notifications() == []


def test_a_failed_email_of_unknown_commit_that_was_written_is_not_stored_twice() -> None:
    world = World()
    world.mailer.endings[CLIENT.email] = ("rejected", "hard-bounce")
    world.stores(written, written, written_but_unknown)

    answer = world.submit(a_command())

    assert answer.status == "mandrill-email-failed"
    assert world.events_of(answer.order_id).count("EmailFailed") == 1

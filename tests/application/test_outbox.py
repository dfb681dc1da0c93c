"""The outbox sends what the request itself could not: later, after a search, with growing pauses, and not for ever."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest

from application import outbox
from application.ports import Email, MailResult
from application.work import LookAgain
from domain.order import Order
from domain.order_events import EmailState
from tests.application.background_world import MAIL, BackgroundWorld, background_world
from tests.helpers import run

BEGINS_S = 120
FAILS, GOOD = "mail-error@example.com", "orders@ada.example.com"
ONCE = "mail-error-once@example.com"
REFUSED = "mail-rejected@example.com"
SENT_UNANSWERED = "mail-sent-then-dropped@example.com"


async def due(world: BackgroundWorld, *recipients: str) -> UUID:
    """An order whose own request could not send to all of these, at the time when the outbox may begin."""
    order_id = await world.placed(recipients=recipients)
    world.clock.advance(BEGINS_S + 1)
    return order_id


async def email_state(world: BackgroundWorld, order_id: UUID) -> EmailState | None:
    return (await world.order(order_id)).email_state


def pause(again: LookAgain | None) -> float:
    assert again is not None
    assert again.after_s is not None
    return again.after_s


def test_it_does_not_begin_before_the_request_must_be_over(database_url: str) -> None:
    async def test() -> None:
        async with background_world(database_url) as world:
            order_id = await world.placed(recipients=(ONCE,))

            again = await world.send_emails(order_id)
            assert BEGINS_S - 2 < pause(again) <= BEGINS_S
            assert await world.sends() == 1  # the request's own

            world.clock.advance(BEGINS_S)
            assert await world.send_emails(order_id) is None
            assert await email_state(world, order_id) is EmailState.SENT
            assert [mail["email"] for mail in await world.mails()] == [ONCE]

    run(test())


def test_a_message_whose_answer_was_lost_is_found_and_not_sent_again(database_url: str) -> None:
    async def test() -> None:
        async with background_world(database_url) as world:
            order_id = await due(world, SENT_UNANSWERED)
            assert await email_state(world, order_id) is EmailState.FAILED

            assert await world.send_emails(order_id) is None

            assert await email_state(world, order_id) is EmailState.SENT
            assert (await world.sends(), len(await world.mails())) == (1, 1)

    run(test())


def test_the_try_is_stored_before_anything_is_searched_or_sent(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await due(world, ONCE)
            find, stored = world.service.mailer.find, list[str]()

            async def watched(*args: object, **kwargs: object) -> object:
                stored.extend(await world.events(order_id))
                return await find(*args, **kwargs)  # type: ignore[arg-type]

            world.service.mailer.find = watched  # type: ignore[assignment, method-assign]
            await world.send_emails(order_id)

            assert stored[-1] == "EmailAttempted"
            assert (await world.events(order_id))[-2:] == ["EmailAttempted", "EmailSent"]

    run(test())


def test_a_search_that_is_too_busy_postpones_the_send(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url, mail=replace(MAIL, searches_per_minute=0)) as world:
            order_id = await due(world, ONCE)

            assert pause(await world.send_emails(order_id)) == outbox.FIRST_PAUSE_S

            assert await world.sends() == 1
            (delivery,) = (await world.order(order_id)).deliveries.values()
            assert (delivery.status, delivery.reason) == ("unknown", "search-busy")

    run(test())


def test_the_pauses_grow_and_after_the_last_try_a_person_is_told(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await due(world, FAILS)

            pauses = [pause(await world.send_emails(order_id)) for _ in range(outbox.MAX_TRIES)]
            assert await world.notifications() == [("email-failed", order_id)]
            assert await world.send_emails(order_id) is None
            assert await world.send_emails(order_id) is None

            assert pauses == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600]
            assert await world.sends() == 1 + outbox.MAX_TRIES
            assert await world.notifications() == [("email-failed", order_id), ("email-given-up", order_id)]

    run(test())


def test_a_refused_address_is_final_and_the_others_are_still_served(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await due(world, REFUSED, ONCE, GOOD)
            assert await world.sends() == 3

            await world.send_emails(order_id)
            assert await world.send_emails(order_id) is None

            assert await world.sends() == 4  # once more to the one that failed, to nobody else
            statuses = [delivery.status for delivery in (await world.order(order_id)).deliveries.values()]
            assert sorted(statuses) == ["rejected", "sent", "sent"]
            assert await world.notifications() == [("email-failed", order_id), ("email-given-up", order_id)]

    run(test())


def test_an_order_whose_mail_fails_again_and_again_raises_one_notification(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await due(world, FAILS)
            for _ in range(3):
                await world.send_emails(order_id)
            assert await world.notifications() == [("email-failed", order_id)]

    run(test())


def test_the_outbox_tells_of_a_failure_where_the_request_had_no_time_to_send(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            send, placing = world.service.mailer.send, True

            async def dies(email: Email) -> MailResult:
                if placing:
                    raise ConnectionAbortedError  # the process goes away
                return await send(email)

            world.service.mailer.send = dies  # type: ignore[method-assign]
            with pytest.raises(ConnectionAbortedError):
                await world.placed(recipients=(FAILS,))
            placing = False
            (submitted,) = [event for event in await world.everything() if isinstance(event, Order.Submitted)]
            order_id = submitted.originator_id
            world.clock.advance(BEGINS_S + 1)

            await world.send_emails(order_id)

            assert await email_state(world, order_id) is EmailState.FAILED
            assert await world.notifications() == [("email-failed", order_id)]

    run(test())


@pytest.mark.parametrize("later_s", [0, 300])
def test_what_a_person_wants_sent_again_is_sent_at_once_though_the_older_message_is_there(
    later_s: int, database_url: str
) -> None:
    async def test() -> None:
        async with background_world(database_url) as world:
            order_id = await world.placed(recipients=(GOOD,))
            world.clock.advance(later_s)

            await _resend(world, order_id)
            assert await world.send_emails(order_id) is None

            assert await email_state(world, order_id) is EmailState.SENT
            assert len({mail["_id"] for mail in await world.mails()}) == 2

    run(test())


@pytest.mark.parametrize("later_s", [0, 300])
def test_a_resend_whose_answer_is_lost_is_found_and_not_sent_a_third_time(later_s: int, sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await world.placed(recipients=(GOOD,))
            world.clock.advance(later_s)
            await _resend(world, order_id)
            await world.mail_fault("mail-sent-then-dropped")
            assert await world.send_emails(order_id) is not None

            assert await world.send_emails(order_id) is None

            assert await world.sends() == 2

    run(test())


def test_two_workers_that_meet_send_once(database_url: str) -> None:
    async def test() -> None:
        async with background_world(database_url) as world:
            order_id = await due(world, ONCE)

            await asyncio.gather(*(world.send_emails(order_id) for _ in range(4)))

            assert await world.sends() == 2
            assert (await world.events(order_id)).count("EmailAttempted") == 1

    run(test())


def test_what_has_been_sent_is_done(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await due(world, GOOD)
            assert await world.send_emails(order_id) is None
            assert await world.sends() == 1

    run(test())


async def _resend(world: BackgroundWorld, order_id: UUID) -> None:
    reason = "the client cannot find it"
    await world.service.operations.resend_email(order_id, actor="operator:olga", reason=reason, request="cmd_1")

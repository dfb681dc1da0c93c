"""What an operator may do by hand, and what is refused with the reason."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from application.operations import NotPossible
from domain.notification import Notification
from domain.order import Order
from domain.order_events import EmailState, OrderState
from tests.application.background_world import CHARGE, DETAILS, REFUND, VOID, BackgroundWorld, background_world
from tests.helpers import run

WHO = {"actor": "operator:olga", "reason": "the client withdrew", "request": "cmd_1"}


async def last_of(world: BackgroundWorld, order_id: UUID, kind: type[Order.Event]) -> Order.Event:
    found = [event for _, event in await world.service.events.history(order_id) if isinstance(event, kind)]
    return found[-1]


def test_an_unsettled_charge_is_voided_and_the_event_names_the_operator_and_the_reason(database_url: str) -> None:
    async def test() -> None:
        async with background_world(database_url) as world:
            order_id = await world.placed()

            order = await world.service.operations.void(order_id, **WHO)

            assert order.state is OrderState.VOIDED
            asked = await last_of(world, order_id, Order.VoidRequested)
            assert isinstance(asked, Order.VoidRequested)
            assert (asked.actor, asked.correlation_id) == ("operator:olga", "cmd_1")
            assert (asked.reason, asked.unexpected) == ("the client withdrew", False)

    run(test())


def test_a_settled_charge_is_refunded_in_full_and_the_event_names_the_operator(database_url: str) -> None:
    async def test() -> None:
        async with background_world(database_url) as world:
            order_id = await world.placed()
            await world.settle()

            order = await world.service.operations.refund(order_id, **WHO)

            assert order.state is OrderState.REFUNDED
            asked = await last_of(world, order_id, Order.RefundRequested)
            assert isinstance(asked, Order.RefundRequested)
            assert (asked.actor, asked.reason, asked.amount_cents) == ("operator:olga", "the client withdrew", 18_500)

    run(test())


def test_a_settled_charge_cannot_be_voided_nor_an_unsettled_one_refunded(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await world.placed()
            with pytest.raises(NotPossible, match="payments void"):
                await world.service.operations.refund(order_id, **WHO)
            await world.settle()
            with pytest.raises(NotPossible, match="payments refund"):
                await world.service.operations.void(order_id, **WHO)
            assert (await world.calls(VOID), await world.calls(REFUND)) == (0, 0)
            assert not (await world.order(order_id)).corrections

    run(test())


def test_what_was_taken_back_already_is_not_taken_back_again(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await world.placed()
            await world.service.operations.void(order_id, **WHO)
            for again in (world.service.operations.void, world.service.operations.refund):
                with pytest.raises(NotPossible, match="voided already"):
                    await again(order_id, **WHO)

    run(test())


@pytest.mark.parametrize("card", ["declined", "held", "dropped-before-charge"])
def test_an_order_without_a_charge_of_its_own_has_nothing_to_take_back(card: str, sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await world.placed(card)
            with pytest.raises(NotPossible, match="no charge"):
                await world.service.operations.void(order_id, **WHO)
            with pytest.raises(NotPossible, match="never submitted"):
                await world.service.operations.resend_email(order_id, **WHO)

    run(test())


def test_an_order_or_a_notification_that_does_not_exist_is_refused(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            operations = world.service.operations
            for act in (operations.void, operations.refund, operations.resend_email):
                with pytest.raises(NotPossible, match="no such order"):
                    await act(uuid4(), **WHO)
            with pytest.raises(NotPossible, match="no such notification"):
                await operations.resolve_notification(uuid4(), **WHO)
            with pytest.raises(NotPossible, match="no such notification"):
                await operations.see_notification(uuid4(), actor="operator:olga", request="cmd_1")
            assert await world.everything() == []

    run(test())


def test_nothing_is_decided_while_the_gateway_cannot_be_asked(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await world.placed()
            for act in (world.service.operations.void, world.service.operations.refund):
                await world.gateway_fault(DETAILS, "http-500")
                with pytest.raises(NotPossible, match="cannot be asked now"):
                    await act(order_id, **WHO)
            assert not (await world.order(order_id)).corrections

    run(test())


def test_a_charge_that_was_voided_at_the_gateway_by_hand_is_recorded_as_voided(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await world.placed()
            await world.gateway.void(await world.transaction_id(order_id))

            order = await world.service.operations.void(order_id, **WHO)

            assert order.state is OrderState.VOIDED
            assert await world.calls(VOID) == 1  # the one by hand

    run(test())


def test_asking_twice_while_it_is_open_stores_one_intent(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await world.placed()
            await world.gateway_fault(VOID, "dropped-before-charge")
            first = await world.service.operations.void(order_id, **WHO)
            assert first.open_corrections

            second = await world.service.operations.void(order_id, **WHO)

            assert second.state is OrderState.VOIDED
            assert (await world.events(order_id)).count("VoidRequested") == 1
            assert await world.calls(CHARGE) == 1

    run(test())


def test_a_resend_is_an_event_with_its_reason_unless_the_first_send_is_still_to_come(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await world.placed()

            order = await world.service.operations.resend_email(order_id, **WHO)
            await world.service.operations.resend_email(order_id, **WHO)

            assert order.email_state is EmailState.PENDING
            asked = await last_of(world, order_id, Order.EmailResendRequested)
            assert isinstance(asked, Order.EmailResendRequested)
            assert (asked.actor, asked.reason) == ("operator:olga", "the client withdrew")
            assert (await world.events(order_id)).count("EmailResendRequested") == 1

    run(test())


def test_a_notification_is_seen_then_resolved_and_never_goes_back(database_url: str) -> None:
    async def test() -> None:
        async with background_world(database_url) as world:
            await world.placed(recipients=("mail-error@example.com",))
            (raised,) = [event for event in await world.everything() if isinstance(event, Notification.Raised)]
            operations = world.service.operations

            await operations.see_notification(raised.originator_id, actor="operator:olga", request="cmd_1")
            await operations.see_notification(raised.originator_id, actor="operator:olga", request="cmd_2")
            await operations.resolve_notification(raised.originator_id, **WHO)
            last = await operations.see_notification(raised.originator_id, actor="operator:olga", request="cmd_3")

            assert (last.is_resolved, last.version) == (True, 3)

    run(test())

"""An order's charges are taken back as its events say: its own, and those that it must not keep."""

from __future__ import annotations

import asyncio
from uuid import UUID

from application.work import WorkItem, WorkKind
from domain.order_events import OrderState
from tests.application.background_world import REFUND, VOID, BackgroundWorld, background_world
from tests.helpers import run

EXPIRY_S = 900
WHO = {"actor": "operator:olga", "reason": "the client withdrew", "request": "cmd_1"}


async def expired_then_charged(world: BackgroundWorld) -> tuple[UUID, str]:
    """An order that expired, and the charge that turned up for it all the same."""
    order_id = await world.unanswered()
    world.clock.advance(EXPIRY_S)
    await world.recover(order_id)
    assert (await world.order(order_id)).state is OrderState.PAYMENT_EXPIRED
    return order_id, await world.charge(await world.invoice_number(order_id))


def test_taking_back_a_charge_that_an_ended_order_must_not_keep_leaves_the_order_as_it_ended(
    database_url: str,
) -> None:
    async def test() -> None:
        async with background_world(database_url) as world:
            order_id, charge = await expired_then_charged(world)

            await world.reconcile()

            assert (await world.events(order_id))[-2:] == ["VoidRequested", "PaymentVoided"]
            assert (await world.order(order_id)).state is OrderState.PAYMENT_EXPIRED
            assert (await world.statuses())[charge] == "voided"
            assert await world.notifications() == [("unexpected-charge", order_id)]

    run(test())


def test_an_order_with_nothing_to_take_back_is_done_at_once(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await world.placed()
            before = await world.everything()

            assert await world.take_back(order_id) is None

            assert await world.everything() == before
            assert await world.calls(VOID) == 0

    run(test())


def test_the_pauses_between_the_tries_grow_up_to_five_minutes(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url, recovery_interval_s=5) as world:
            order_id = await world.placed()
            await world.gateway_fault(VOID, "dropped-before-charge", times=9)
            await world.service.operations.void(order_id, **WHO)
            pauses = [await world.service.take_back(_item(order_id, tries)) for tries in (0, 1, 2, 20)]
            assert [pause.after_s if pause else None for pause in pauses] == [5, 10, 20, 300]

    run(test())


def test_two_that_take_the_same_charge_back_record_it_once(database_url: str) -> None:
    async def test() -> None:
        async with background_world(database_url) as world:
            order_id = await world.placed()
            await world.gateway_fault(VOID, "dropped-before-charge")
            await world.service.operations.void(order_id, **WHO)

            await asyncio.gather(*(world.take_back(order_id) for _ in range(4)))

            assert (await world.events(order_id)).count("PaymentVoided") == 1

    run(test())


def test_two_that_refund_the_same_charge_send_one_refund(database_url: str) -> None:
    async def test() -> None:
        async with background_world(database_url) as world:
            order_id = await world.placed()
            await world.gateway_fault(VOID, "dropped-before-charge")
            await world.service.operations.void(order_id, **WHO)
            await world.settle()

            await asyncio.gather(*(world.take_back(order_id) for _ in range(4)))
            await world.take_back(order_id)

            assert await world.calls(REFUND) == 1
            assert (await world.order(order_id)).state is OrderState.REFUNDED

    run(test())


def test_an_orders_own_charge_and_an_unexpected_one_are_taken_back_side_by_side(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await world.placed()
            own = await world.transaction_id(order_id)
            second = await world.charge(await world.invoice_number(order_id))
            await world.gateway_fault(VOID, "dropped-before-charge")
            await world.reconcile()
            assert set((await world.order(order_id)).open_corrections) == {second}

            order = await world.service.operations.void(order_id, **WHO)

            assert order.state is OrderState.VOIDED
            assert await world.statuses() == {own: "voided", second: "voided"}

    run(test())


def _item(order_id: UUID, tries: int) -> WorkItem:
    return WorkItem(order_id, WorkKind.CORRECTION, tries, ticket=0)

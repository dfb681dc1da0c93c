"""The list of orders: found by any of their names, in the state that their events say."""

from __future__ import annotations

from itertools import count
from uuid import UUID

import pytest

from api.read_models import ORDERS
from domain.order_events import OrderState
from projections.orders import OrderFilter, find_orders
from tests.application.background_world import BackgroundWorld, background_world
from tests.helpers import run

WHO = {"actor": "operator:olga", "reason": "withdrawn", "request": "cmd_1"}


async def found(world: BackgroundWorld, **wanted: object) -> list[UUID]:
    await world.catch_up()
    _, rows = await world.service.views.read(
        ORDERS,
        lambda connection: find_orders(connection, OrderFilter(**wanted)),  # type: ignore[arg-type]
    )
    return [order_id for order_id, _ in rows]


def test_an_order_is_found_by_each_of_its_names(database_url: str) -> None:
    async def test() -> None:
        async with background_world(database_url) as world:
            order_id = await world.placed()
            await world.placed()
            order = await world.order(order_id)
            assert order.requested is not None
            names = [
                str(order_id),
                order.number,
                order.number.lower(),
                order.requested.correlation_id,
                await world.invoice_number(order_id),
                await world.transaction_id(order_id),
            ]
            for name in names:
                assert await found(world, q=name) == [order_id], name
            assert await found(world, q="nothing") == []

    run(test())


@pytest.mark.parametrize(
    ("card", "state"),
    [
        ("approved", OrderState.SUBMITTED),
        ("declined", OrderState.DECLINED),
        ("held", OrderState.PAYMENT_HELD),
        ("gateway-error", OrderState.PAYMENT_FAILED),
        ("dropped-before-charge", OrderState.PAYMENT_OPEN),
    ],
)
def test_the_list_shows_the_state_that_the_stream_says(card: str, state: OrderState, sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await world.placed(card)
            assert (await world.order(order_id)).state is state
            assert await found(world, states=(state.value,)) == [order_id]

    run(test())


def test_money_taken_back_ends_an_order_and_money_taken_twice_does_not(database_url: str) -> None:
    async def test() -> None:
        async with background_world(database_url) as world:
            voided, refunded, kept = [await world.placed() for _ in range(3)]
            await world.service.operations.void(voided, **WHO)
            await world.charge(await world.invoice_number(kept))
            await world.reconcile()
            await world.settle()
            await world.service.operations.refund(refunded, **WHO)

            assert await found(world, states=("voided",)) == [voided]
            assert await found(world, states=("refunded",)) == [refunded]
            assert await found(world, states=("submitted",)) == [kept]

    run(test())


def test_a_page_ends_where_the_next_begins_and_refused_orders_are_shown_when_asked_for(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            first, second = await world.placed(), await world.placed()
            world.houses = count(2)
            assert (await world.submit()).status == "duplicate-payment"
            (refused,) = await found(world, states=("refused",))
            assert await found(world) == [second, first]
            assert await found(world, limit=1) == [second, first]  # one more than asked for: there is a next page
            assert (await world.order(refused)).state is OrderState.REFUSED

    run(test())

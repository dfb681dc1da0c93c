"""A charge at the gateway that the log does not account for is recorded and taken back; what is ours is left alone."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from domain.notification import Notification
from domain.order import Order
from domain.order_events import OrderState
from domain.orphan_charge import OrphanCharge
from tests.application.background_world import REFUND, VOID, BackgroundWorld, background_world
from tests.helpers import run

NOBODYS = "NOBODYSINVOICE000001"


async def orphans(world: BackgroundWorld) -> list[OrphanCharge.Event]:
    return [event for event in await world.everything() if isinstance(event, OrphanCharge.Event)]


def kinds(events: list[OrphanCharge.Event]) -> list[str]:
    return [type(event).__name__ for event in events]


async def charge_without_invoice(world: BackgroundWorld) -> str:
    """A charge as a terminal in the shop makes it."""
    body = {
        "createTransactionRequest": {
            "merchantAuthentication": {"name": "sandbox-login", "transactionKey": "sandbox-key-0001"},
            "transactionRequest": {
                "transactionType": "authCaptureTransaction",
                "amount": "12.34",
                "profile": {"customerProfileId": "900000099", "paymentProfile": {"paymentProfileId": "800000001"}},
            },
        }
    }
    async with world.http.post(world.gateway.api_url, json=body) as answer:
        assert answer.status == 200
    return str((await world.gateway.transactions())[-1]["transId"])


def test_a_charge_with_an_invoice_that_no_order_has_is_recorded_voided_and_told_once(database_url: str) -> None:
    async def test() -> None:
        async with background_world(database_url) as world:
            charge = await world.charge(NOBODYS, amount="12.34")

            for _ in range(3):
                await world.reconcile()

            events = await orphans(world)
            assert kinds(events) == ["Found", "VoidRequested", "TakenBack"]
            found = events[0]
            assert isinstance(found, OrphanCharge.Found)
            assert (found.transaction_id, found.invoice_number, found.amount_cents) == (charge, NOBODYS, 1234)
            assert await world.statuses() == {charge: "voided"}
            assert await world.notifications() == [("orphan-charge", None)]
            assert await world.calls(VOID) == 1

    run(test())


def test_a_charge_without_an_invoice_is_no_orders_either(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            charge = await charge_without_invoice(world)

            await world.reconcile()

            (found, *_) = await orphans(world)
            assert isinstance(found, OrphanCharge.Found)
            assert found.invoice_number is None
            assert await world.statuses() == {charge: "voided"}

    run(test())


def test_one_that_has_settled_is_refunded(database_url: str) -> None:
    async def test() -> None:
        async with background_world(database_url) as world:
            charge = await world.charge(NOBODYS, amount="12.34")
            await world.settle()

            await world.reconcile()

            assert kinds(await orphans(world)) == ["Found", "VoidRequested", "RefundRequested", "TakenBack"]
            refunds = [row for row in await world.gateway.transactions() if row["refTransId"] == charge]
            assert [row["amount_cents"] for row in refunds] == [1234]
            assert await world.notifications() == [("orphan-charge", None)]

    run(test())


def test_a_settled_one_whose_refund_was_interrupted_is_finished_in_a_later_round(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            await world.charge(NOBODYS, amount="12.34")
            await world.settle()
            await world.gateway_fault(REFUND, "dropped-before-charge")
            await world.reconcile()
            assert "TakenBack" not in kinds(await orphans(world))

            world.clock.advance(901)
            await world.reconcile()

            assert kinds(await orphans(world))[-1] == "TakenBack"
            refunded = [row for row in await world.gateway.transactions() if row["refTransId"]]
            assert len(refunded) == 1

    run(test())


def test_a_settled_one_that_could_not_be_looked_at_is_looked_at_in_the_next_round(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            await world.charge(NOBODYS)
            await world.settle()
            await world.gateway_fault("getTransactionDetailsRequest", "http-500")
            await world.reconcile()
            assert await world.calls(REFUND) == 0

            await world.reconcile()

            assert kinds(await orphans(world))[-1] == "TakenBack"

    run(test())


@pytest.mark.parametrize("settled", [False, True])
def test_further_charges_with_an_orders_invoice_are_taken_back_and_the_orders_own_is_kept(
    settled: bool, database_url: str
) -> None:
    async def test() -> None:
        async with background_world(database_url) as world:
            order_id = await world.placed()
            own, invoice = await world.transaction_id(order_id), await world.invoice_number(order_id)
            second = await world.charge(invoice)
            third = await world.charge(invoice, amount="184.00")
            if settled:
                await world.settle()

            for _ in range(2):
                await world.reconcile()

            order = await world.order(order_id)
            assert order.state is OrderState.SUBMITTED
            assert not order.open_corrections
            assert set(order.corrections) == {second, third}
            asked = [event for event in await world.everything() if isinstance(event, Order.VoidRequested)]
            assert {each.transaction_id: each.amount_cents for each in asked} == {second: 18_500, third: 18_400}
            refunded = {row["refTransId"] for row in await world.gateway.transactions() if row["refTransId"]}
            statuses = await world.statuses()
            if settled:
                assert refunded == {second, third}
            else:
                assert (statuses[own], statuses[second], statuses[third]) == (
                    "capturedPendingSettlement",
                    "voided",
                    "voided",
                )
            assert await world.notifications() == [("unexpected-charge", order_id)]

    run(test())


def test_a_settled_charge_of_an_order_that_was_still_open_is_judged_once_the_order_has_ended(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await world.unanswered()
            other = await world.charge(await world.invoice_number(order_id), amount="184.00")
            await world.settle()
            await world.reconcile()
            assert await world.calls(REFUND) == 0  # recovery finds out whose it is
            own = await world.charge(await world.invoice_number(order_id))
            await world.recover(order_id)
            assert await world.transaction_id(order_id) == own

            await world.reconcile()

            refunded = [row["refTransId"] for row in await world.gateway.transactions() if row["refTransId"]]
            assert refunded == [other]

    run(test())


def test_nothing_of_ours_is_touched(database_url: str) -> None:
    async def test() -> None:
        async with background_world(database_url) as world:
            for card in ("approved", "declined", "held", "charged-then-dropped", "http-502"):
                await world.placed(card)
            voided, refunded = await world.placed(), await world.placed()
            who = {"actor": "operator:olga", "reason": "withdrawn", "request": "cmd_1"}
            await world.service.operations.void(voided, **who)
            await world.settle()
            await world.service.operations.refund(refunded, **who)
            await world.placed()
            before, statuses = await world.everything(), await world.statuses()

            for _ in range(2):
                await world.reconcile()

            assert await world.everything() == before
            assert await world.statuses() == statuses

    run(test())


def test_nothing_of_ours_is_touched_while_orders_are_being_placed(database_url: str) -> None:
    async def test() -> None:
        async with background_world(database_url) as world:
            await world.charge(NOBODYS)
            following = asyncio.create_task(world.service.projector.run())
            placing = asyncio.create_task(_place(world, 60))
            rounds = 0
            while not placing.done():
                await world.look_at_gateway()
                rounds += 1
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            order_ids = await placing
            await world.reconcile()

            assert rounds > 1
            orders = [await world.order(order_id) for order_id in order_ids]
            assert {order.state for order in orders} == {OrderState.SUBMITTED}
            assert not any(order.corrections for order in orders)
            assert kinds(await orphans(world)).count("Found") == 1
            assert await world.calls(VOID) == 1

    run(test())


async def _place(world: BackgroundWorld, orders: int) -> list[UUID]:
    placed: list[UUID] = []
    for _ in range(orders // 6):
        placed += await asyncio.gather(*(world.placed() for _ in range(6)))
    return placed


def test_where_the_settings_say_so_it_is_only_reported(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url, orphan_charges="report") as world:
            await world.charge(NOBODYS)
            for _ in range(2):
                await world.reconcile()
            await world.settle()
            await world.reconcile()

            assert kinds(await orphans(world)) == ["Found"]
            assert await world.notifications() == [("orphan-charge", None)]
            assert (await world.calls(VOID), await world.calls(REFUND)) == (0, 0)

    run(test())


def test_a_round_that_cannot_read_everything_judges_nothing(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            await world.charge(NOBODYS)
            for operation in ("getUnsettledTransactionListRequest", "getSettledBatchListRequest"):
                await world.gateway_fault(operation, "http-500")
                await world.reconcile()
                assert await world.everything() == []

    run(test())


def test_read_models_that_lag_behind_the_log_stop_a_round(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            await world.placed()  # and nobody follows the log

            await world.look_at_gateway()

            assert not any(isinstance(event, Notification.Raised) for event in await world.everything())
            assert await world.calls(VOID) == 0

    run(test())

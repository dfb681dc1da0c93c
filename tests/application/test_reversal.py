"""A charge is voided before it settles and refunded after; either is believed only when the gateway shows it."""

from __future__ import annotations

from uuid import UUID

import pytest

from application.ports import Accepted, GatewayCodes
from domain.order_events import CorrectionState, OrderState
from tests.application.background_world import DETAILS, REFUND, VOID, BackgroundWorld, background_world
from tests.helpers import run

EXPIRY_S = 900
WHO = {"actor": "operator:olga", "reason": "the client withdrew", "request": "cmd_1"}


async def correction_of(world: BackgroundWorld, order_id: UUID) -> CorrectionState:
    order = await world.order(order_id)
    return order.corrections[await world.transaction_id(order_id)].state


def test_a_void_is_stored_before_it_is_asked_for_and_after_the_details_show_it(database_url: str) -> None:
    async def test() -> None:
        async with background_world(database_url) as world:
            order_id = await world.placed()
            void = world.service.gateway.void
            stored: list[str] = []

            async def watched(transaction_id: str) -> object:
                stored.extend(await world.events(order_id))
                return await void(transaction_id)

            world.service.gateway.void = watched  # type: ignore[assignment, method-assign]
            await world.service.operations.void(order_id, **WHO)

            assert stored[-1] == "VoidRequested"
            assert (await world.events(order_id))[-2:] == ["VoidRequested", "PaymentVoided"]
            assert set((await world.statuses()).values()) == {"voided"}

    run(test())


def test_an_accepted_void_that_the_details_do_not_show_is_not_believed(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await world.placed()

            async def says_yes(transaction_id: str) -> Accepted:
                return Accepted(transaction_id, GatewayCodes("1", "1"))

            real, world.service.gateway.void = world.service.gateway.void, says_yes  # type: ignore[method-assign]
            await world.service.operations.void(order_id, **WHO)
            assert await correction_of(world, order_id) is CorrectionState.VOID_REQUESTED
            assert (await world.order(order_id)).state is OrderState.SUBMITTED

            world.service.gateway.void = real  # type: ignore[method-assign]
            assert await world.take_back(order_id) is None
            assert (await world.order(order_id)).state is OrderState.VOIDED

    run(test())


@pytest.mark.parametrize("performed", [True, False])
def test_a_void_whose_answer_is_lost_ends_as_the_gateway_shows_it(performed: bool, sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await world.placed()
            await world.gateway_fault(VOID, "charged-then-dropped", performed=performed)

            await world.service.operations.void(order_id, **WHO)
            wanted = OrderState.VOIDED if performed else OrderState.SUBMITTED
            assert (await world.order(order_id)).state is wanted

            assert await world.take_back(order_id) is None
            assert (await world.order(order_id)).state is OrderState.VOIDED

    run(test())


def test_where_the_details_cannot_be_read_nothing_is_concluded_and_it_is_looked_at_again(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await world.placed()
            await world.gateway_fault(VOID, "dropped-before-charge")
            await world.service.operations.void(order_id, **WHO)
            await world.gateway_fault(DETAILS, "http-500", times=9)

            again = await world.take_back(order_id)

            assert again is not None
            assert await correction_of(world, order_id) is CorrectionState.VOID_REQUESTED

    run(test())


def test_a_charge_that_settles_before_the_void_arrives_is_refunded(database_url: str) -> None:
    async def test() -> None:
        async with background_world(database_url) as world:
            order_id = await world.placed()
            await world.gateway_fault(VOID, "dropped-before-charge")
            await world.service.operations.void(order_id, **WHO)
            await world.settle()

            assert await world.take_back(order_id) is None

            assert (await world.events(order_id))[-3:] == ["VoidRequested", "RefundRequested", "PaymentRefunded"]
            assert (await world.order(order_id)).state is OrderState.REFUNDED
            assert await world.calls(REFUND) == 1

    run(test())


def test_a_refund_whose_answer_is_lost_is_adopted_by_its_invoice_and_not_sent_again(database_url: str) -> None:
    async def test() -> None:
        async with background_world(database_url) as world:
            order_id = await world.placed()
            await world.settle()
            await world.gateway_fault(REFUND, "charged-then-dropped")
            await world.gateway_fault("getUnsettledTransactionListRequest", "http-500")

            asked = await world.service.operations.refund(order_id, **WHO)
            assert asked.open_corrections  # asked for, and nobody knows yet

            assert await world.take_back(order_id) is None
            assert (await world.order(order_id)).state is OrderState.REFUNDED
            assert await world.calls(REFUND) == 1

    run(test())


def test_a_refund_that_never_arrived_is_sent_anew_after_a_quarter_of_an_hour_and_not_before(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await world.placed()
            await world.settle()
            await world.gateway_fault(REFUND, "dropped-before-charge")
            await world.service.operations.refund(order_id, **WHO)

            world.clock.advance(EXPIRY_S - 5)
            assert await world.take_back(order_id) is not None
            assert await world.calls(REFUND) == 1

            world.clock.advance(6)
            assert await world.take_back(order_id) is None
            assert (await world.events(order_id)).count("RefundRequested") == 2
            assert [row["status"] for row in await world.gateway.transactions()].count("refundPendingSettlement") == 1

    run(test())


def test_a_refund_that_appears_while_it_is_given_up_is_adopted_and_not_repeated(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await world.placed()
            await world.settle()
            await world.gateway_fault(REFUND, "approved-late")
            await world.service.operations.refund(order_id, **WHO)
            await world.clock.sleep(1)
            while await world.take_back(order_id) is not None:
                await world.clock.sleep(1)
                world.clock.advance(1)

            assert await world.calls(REFUND) == 1
            assert (await world.order(order_id)).state is OrderState.REFUNDED

    run(test())


def test_people_are_told_once_where_the_gateway_refuses_a_refund(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await world.placed()
            await world.settle()
            charge = await world.transaction_id(order_id)
            reply = await world.gateway.refund(charge, "185.00")  # by hand, in the merchant's interface
            assert reply.outcome == ("1", "1")

            await world.service.operations.refund(order_id, **WHO)
            world.clock.advance(EXPIRY_S + 1)
            await world.take_back(order_id)

            assert await world.notifications() == [("correction-refused", order_id)]
            assert await correction_of(world, order_id) is CorrectionState.REFUND_REQUESTED

    run(test())


def test_people_are_told_where_the_gateway_refuses_a_void_and_the_charge_is_still_there(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await world.placed()
            await world.gateway_fault(VOID, "bad-keys", times=2)

            await world.service.operations.void(order_id, **WHO)
            await world.take_back(order_id)
            assert await world.notifications() == [("correction-refused", order_id)]

            assert await world.take_back(order_id) is None  # and goes on trying

    run(test())

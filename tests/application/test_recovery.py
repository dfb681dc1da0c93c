"""Recovery finds out what became of an attempt whose outcome is open. It never charges."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from application import recovery
from application.ports import Accepted, GatewayCodes
from application.work import LookAgain
from domain.order_events import OrderState
from tests.application.background_world import CHARGE, DETAILS, REVIEW, BackgroundWorld, background_world
from tests.application.world import SPRING10
from tests.helpers import run

EXPIRY_S = 900
HELD_S = 259_200
NOTHING = timedelta()


async def blocked_for(world: BackgroundWorld, order_id: UUID) -> timedelta:
    """How long the same thing cannot be paid for from now on; not at all where that is in the past."""
    window = await world.window(order_id)
    assert not window.is_open
    assert window.blocked_until is not None
    return max(NOTHING, window.blocked_until - world.clock.now())


async def state_of(world: BackgroundWorld, order_id: UUID) -> OrderState | None:
    return (await world.order(order_id)).state


def test_a_charge_whose_answer_was_lost_is_adopted_and_blocks_the_same_thing_for_a_day(database_url: str) -> None:
    async def test() -> None:
        async with background_world(database_url) as world:
            order_id = await world.placed("charged-then-dropped", promotion=SPRING10)
            assert await state_of(world, order_id) is OrderState.PAYMENT_OPEN

            assert await world.recover(order_id) is None

            assert (await world.events(order_id))[-3:] == ["PaymentOutcomeUnknown", "PaymentCharged", "Submitted"]
            assert (await world.redemption()).redeemed
            assert timedelta(hours=23, minutes=59) < await blocked_for(world, order_id) <= timedelta(hours=24)
            assert await world.calls(CHARGE) == 1

    run(test())


def test_looking_again_at_an_order_that_has_ended_changes_nothing(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await world.placed("charged-then-dropped")
            await world.recover(order_id)
            before = await world.everything()

            assert await world.recover(order_id) is None

            assert await world.everything() == before

    run(test())


@pytest.mark.parametrize("fate", ["declined", "voided"])
def test_a_transaction_that_kept_nothing_ends_the_order_and_frees_everything_at_once(
    fate: str, sqlite_url: str
) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            card = "declined" if fate == "declined" else "approved"
            order_id = await world.unanswered(card, promotion=SPRING10)
            found = await world.charge(await world.invoice_number(order_id), card, "166.50")
            if fate == "voided":
                await world.gateway.void(found)

            assert await world.recover(order_id) is None

            order = await world.order(order_id)
            wanted = "declined-payment" if fate == "declined" else "failed-payment"
            assert (order.state, order.ending_status) == (OrderState.DECLINED, wanted)
            assert (await world.redemption()).held_by is None
            assert await blocked_for(world, order_id) == NOTHING

    run(test())


def test_what_a_complete_lookup_does_not_find_means_nothing_before_the_time_and_expires_after_it(
    database_url: str,
) -> None:
    async def test() -> None:
        async with background_world(database_url) as world:
            order_id = await world.unanswered(promotion=SPRING10)

            world.clock.advance(EXPIRY_S - 5)
            again = await world.recover(order_id, tries=9)
            assert await state_of(world, order_id) is OrderState.PAYMENT_OPEN
            assert (await world.redemption()).held_by == order_id
            assert isinstance(again, LookAgain)
            assert again.after_s is not None
            assert again.after_s < 6  # not past the instant at which more can be concluded

            world.clock.advance(6)
            assert await world.recover(order_id) is None

            assert await state_of(world, order_id) is OrderState.PAYMENT_EXPIRED
            assert (await world.redemption()).held_by is None
            assert await blocked_for(world, order_id) == NOTHING

    run(test())


def test_a_lookup_that_began_too_early_expires_nothing_though_it_ends_late(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await world.unanswered()
            world.clock.advance(EXPIRY_S - 1)
            find = world.service.gateway.find_by_invoice

            async def slowly(*args: object, **kwargs: object) -> object:
                found = await find(*args, **kwargs)  # type: ignore[arg-type]
                world.clock.advance(60)
                return found

            world.service.gateway.find_by_invoice = slowly  # type: ignore[assignment, method-assign]
            await world.recover(order_id)

            assert await state_of(world, order_id) is OrderState.PAYMENT_OPEN

    run(test())


@pytest.mark.parametrize("outcome", ["http-500", "nonsense", "dropped-before-charge", "bad-keys"])
def test_a_lookup_that_fails_concludes_nothing_however_late_it_is(outcome: str, sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await world.placed("charged-then-dropped")
            world.clock.advance(2 * EXPIRY_S - 5)
            await world.gateway_fault(DETAILS, outcome, times=9)

            assert await world.recover(order_id) is not None

            assert await state_of(world, order_id) is OrderState.PAYMENT_OPEN
            assert await world.notifications() == []

    run(test())


@pytest.mark.parametrize(
    ("card", "amount", "other_invoice"),
    [("approved", "184.99", False), ("charged-then-dropped", "185.00", False), ("approved", "185.00", True)],
    ids=["amount", "card", "invoice"],
)
def test_a_charge_that_differs_in_amount_card_or_invoice_is_not_the_orders_own(
    card: str, amount: str, other_invoice: bool, sqlite_url: str
) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await world.unanswered()
            invoice = await world.invoice_number(order_id)
            await world.gateway_fault(CHARGE, "approved")
            await world.charge(invoice[:-1] + "-" if other_invoice else invoice, card, amount)
            world.clock.advance(EXPIRY_S)

            await world.recover(order_id)

            wanted = OrderState.PAYMENT_EXPIRED if other_invoice else OrderState.PAYMENT_OPEN
            assert await state_of(world, order_id) is wanted
            assert "PaymentCharged" not in await world.events(order_id)

    run(test())


def test_while_the_process_that_charges_may_still_be_at_it_nobody_looks(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url, gateway_deadline_s=2) as world:
            order = world.service._handler
            charge = world.service.gateway.charge
            looked: list[LookAgain | None] = []

            async def watched(request: object) -> object:
                (attempted,) = [e for e in await world.everything() if type(e).__name__ == "PaymentAttempted"]
                looked.append(await world.recover(attempted.originator_id))
                return await charge(request)  # type: ignore[arg-type]

            world.service.gateway.charge = watched  # type: ignore[assignment, method-assign]
            await world.placed()

            assert order.under_way == 0
            assert looked[0] is not None
            assert looked[0].after_s == pytest.approx(9, abs=1)  # the gateway's deadline and seven seconds

    run(test())


@pytest.mark.parametrize("card", ["held", "held-authorized"])
def test_a_held_payment_that_a_person_approves_is_submitted(card: str, database_url: str) -> None:
    async def test() -> None:
        async with background_world(database_url) as world:
            order_id = await world.placed(card)
            assert await state_of(world, order_id) is OrderState.PAYMENT_HELD
            world.clock.advance(EXPIRY_S)
            await world.recover(order_id)
            assert await state_of(world, order_id) is OrderState.PAYMENT_HELD  # the fifteen minutes do not apply

            await world.gateway.post(f"/_held/{await world.transaction_id(order_id)}/approve")
            assert await world.recover(order_id) is None

            assert await state_of(world, order_id) is OrderState.SUBMITTED

    run(test())


@pytest.mark.parametrize("card", ["held", "held-authorized"])
def test_a_held_payment_that_a_person_declines_ends_the_order(card: str, sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await world.placed(card)
            await world.gateway.post(f"/_held/{await world.transaction_id(order_id)}/decline")

            assert await world.recover(order_id) is None

            assert await state_of(world, order_id) is OrderState.DECLINED

    run(test())


def test_a_lost_answer_that_turns_out_to_be_held_is_recorded_as_held(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await world.unanswered("held")
            await world.charge(await world.invoice_number(order_id), "held")

            assert await world.recover(order_id) is not None

            assert await state_of(world, order_id) is OrderState.PAYMENT_HELD

    run(test())


def test_what_was_held_too_long_is_declined_and_the_intent_is_stored_first(database_url: str) -> None:
    async def test() -> None:
        async with background_world(database_url) as world:
            order_id = await world.placed("held")
            world.clock.advance(HELD_S - 5)
            await world.recover(order_id)
            assert await world.calls(REVIEW) == 0
            world.clock.advance(6)
            decline = world.service.gateway.decline_held
            stored: list[str] = []

            async def watched(transaction_id: str) -> object:
                stored.extend(await world.events(order_id))
                return await decline(transaction_id)

            world.service.gateway.decline_held = watched  # type: ignore[assignment, method-assign]
            assert await world.recover(order_id) is None

            assert stored[-1] == "HoldDeclineRequested"
            assert (await world.events(order_id))[-1] == "PaymentDeclined"
            assert set((await world.statuses()).values()) == {"declined"}

    run(test())


def test_an_approval_that_races_with_our_decline_wins(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await world.placed("held")
            world.clock.advance(HELD_S + 1)

            async def too_late(transaction_id: str) -> object:
                await world.gateway.post(f"/_held/{transaction_id}/approve")
                return Accepted(transaction_id, GatewayCodes())

            world.service.gateway.decline_held = too_late  # type: ignore[assignment, method-assign]
            await world.recover(order_id)

            assert (await world.events(order_id))[-3:] == ["HoldDeclineRequested", "PaymentCharged", "Submitted"]

    run(test())


def test_a_decline_that_does_not_arrive_is_asked_for_again_without_a_second_intent(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await world.placed("held")
            world.clock.advance(HELD_S + 1)
            await world.gateway_fault(REVIEW, "dropped-before-charge")

            assert await world.recover(order_id) is not None
            assert await world.recover(order_id) is None

            assert (await world.events(order_id)).count("HoldDeclineRequested") == 1
            assert await state_of(world, order_id) is OrderState.DECLINED

    run(test())


def test_people_are_told_once_of_an_attempt_that_cannot_be_closed(sqlite_url: str) -> None:
    async def test() -> None:
        async with background_world(sqlite_url) as world:
            order_id = await world.placed("charged-then-dropped")
            await world.gateway_fault(DETAILS, "http-500", times=9)
            world.clock.advance(recovery.STUCK_AFTER * EXPIRY_S)

            for _ in range(3):
                await world.recover(order_id)

            assert await world.notifications() == [("stuck-attempt", order_id)]

    run(test())

"""Settlement faults planted at the sandbox gateway, over its real wire protocol: all are found, none is false."""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from api.clearing import clearing
from tests.application.audit.reconciliation.world import SettlementWorld, named, settlement_world
from tests.helpers import run

Found = list[tuple[str, str]]
Plant = Callable[[SettlementWorld, str], Awaitable[Found]]


async def nothing(world: SettlementWorld, transaction: str) -> Found:
    return []


async def voided(world: SettlementWorld, transaction: str) -> Found:
    """Taken back before it settled."""
    order_id = next(order for order, each in world.orders if each == transaction)
    await world.world.service.operations.void(order_id, actor="operator:olga", reason="withdrawn", request="cmd_void")
    return []


async def amount(world: SettlementWorld, transaction: str) -> Found:
    await world.plant("amount-differs", transaction, amount_cents=1)
    return [("amount-differs", transaction)]


async def lost(world: SettlementWorld, transaction: str) -> Found:
    await world.plant("missing-there", transaction)
    return [("missing-there", transaction)]


async def late(world: SettlementWorld, transaction: str) -> Found:
    await world.plant("late", transaction, days=5)
    return [("late", transaction)]


async def nobodys(world: SettlementWorld, transaction: str) -> Found:
    return [("missing-here", await world.plant("missing-here", amount_cents=700))]


async def charged_twice(world: SettlementWorld, transaction: str) -> Found:
    return [("duplicate", await world.plant("charged-twice", transaction))]


async def again(world: SettlementWorld, transaction: str) -> Found:
    return [("duplicate", await world.plant("duplicate", transaction))]


async def disputed(world: SettlementWorld, transaction: str) -> Found:
    return [("charged-back", await world.plant("chargeback", transaction))]


async def disputed_and_won(world: SettlementWorld, transaction: str) -> Found:
    await world.plant("chargeback", transaction)
    await world.plant("chargebackReversal", transaction)
    return []


async def bounced(world: SettlementWorld, transaction: str) -> Found:
    return [("returned", await world.plant("returnedItem", transaction))]


async def refunded_there(world: SettlementWorld, transaction: str) -> Found:
    return [("missing-here", await world.plant("refund", transaction, amount_cents=500))]


async def refunded_here(world: SettlementWorld, transaction: str) -> Found:
    order_id = next(order for order, each in world.orders if each == transaction)
    await world.world.service.operations.refund(order_id, actor="operator:olga", reason="unhappy", request="cmd_refund")
    return []


BEFORE: list[Plant] = [nothing, voided, amount, lost, late, nobodys, charged_twice]
AFTER: list[Plant] = [again, disputed, disputed_and_won, bounced, refunded_there, refunded_here]


async def carried_out(url: str, plan: list[Plant]) -> None:
    """One order per plan; the faults of before settlement, a batch, those of after it, and what is late."""
    async with settlement_world(url, page_size=3) as world:
        world.orders = await world.charged(len(plan))
        expected: Found = []
        for plant, (_, transaction) in zip(plan, world.orders, strict=True):
            if plant in BEFORE:
                expected += await plant(world, transaction)
        await world.settle(1)
        for plant, (_, transaction) in zip(plan, world.orders, strict=True):
            if plant in AFTER:
                expected += await plant(world, transaction)
        await world.settle(1)
        await world.settle(5)

        found = await world.reconcile()
        assert named(found.breaks) == sorted(expected)
        await world.world.catch_up()
        account = await clearing(world.world.service, found)
        assert account is not None
        assert (account.unexplained, account.adds_up, account.awaited.items) == ((), True, 0)
        head = await world.head()
        again = await world.reconcile()
        assert (named(again.breaks), await world.head()) == (sorted(expected), head + 1)  # that the run was made


@settings(max_examples=5, deadline=None)
@given(st.lists(st.sampled_from(BEFORE + AFTER), min_size=1, max_size=8))
def test_whatever_is_planted_is_found_and_nothing_else(plan: list[Plant]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run(carried_out(f"sqlite:///{Path(folder)}/orders.db", plan))


def test_every_fault_at_once_is_found_by_its_class(database_url: str) -> None:
    run(carried_out(database_url, BEFORE + AFTER))


def test_a_charge_that_settles_in_the_next_period_is_not_missing_in_this_one(sqlite_url: str) -> None:
    async def test() -> None:
        async with settlement_world(sqlite_url) as world:
            await world.charged()
            month_end = world.world.clock.now() + timedelta(hours=2)
            await world.settle(1)
            world.world.clock.advance(5 * 86_400)
            found = await world.reconcile(last=month_end)
            assert (named(found.breaks), found.comparison.matched, found.comparison.waiting) == ([], 0, 0)
            await world.charged()
            world.world.clock.advance(5 * 86_400)
            assert named((await world.reconcile(last=month_end)).breaks) == []
            await world.world.catch_up()
            account = await clearing(world.world.service, await world.reconcile(last=month_end))
            assert account is not None
            assert (account.not_reconciled.amount_cents, account.in_breaks.items, account.adds_up) == (18_500, 0, True)
            following = await world.reconcile(first=month_end)
            assert (following.comparison.matched, following.imported.batches, len(following.breaks)) == (1, 0, 1)

    run(test())


def test_what_a_person_resolved_without_moving_money_is_shown_as_written_off(sqlite_url: str) -> None:
    async def test() -> None:
        async with settlement_world(sqlite_url) as world:
            ((_, charge),) = await world.charged()
            await world.plant("missing-there", charge)
            await world.settle(5)
            found = await world.reconcile()
            await world.world.catch_up()
            before = await clearing(world.world.service, found)
            assert before is not None
            assert (before.in_breaks.amount_cents, before.written_off.items) == (18_500, 0)

            await world.breaks.resolve(
                found.breaks[0].id, actor="operator:fay", reason="written off", request="cmd_test"
            )
            after = await clearing(world.world.service, await world.reconcile())
            assert after is not None
            assert (after.in_breaks.items, after.written_off.amount_cents, after.adds_up) == (0, 18_500, True)

    run(test())


def test_nothing_of_the_gateways_answers_but_facts_of_money_is_kept(sqlite_url: str) -> None:
    async def test() -> None:
        async with settlement_world(sqlite_url) as world:
            await world.charged()
            await world.settle(1)
            await world.reconcile()
            stored = await world.world.service.events.recorder.notifications(1, 10_000)
            kept = [each.state for each in stored if each.topic.startswith("settlement")]
            assert len(kept) == 2
            for personal in (b"XXXX1111", b"Visa", b"900000011", b"800000001"):
                assert all(personal not in state for state in kept)

    run(test())

"""A break is found once, taken on or resolved by people, and resolved by itself when a later run agrees."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from application.audit.reconciliation.breaks import break_id
from application.audit.reconciliation.matching import Key
from application.operations import NotPossible
from domain.settlement_break import BreakClass, SettlementBreak
from domain.stream import Metadata
from tests.application.audit.reconciliation.world import ACTOR, SettlementWorld, named, settlement_world
from tests.helpers import run

WHY = {"actor": ACTOR, "reason": "looked into", "request": "cmd_test"}


async def resolution(world: SettlementWorld, of: UUID) -> str | None:
    (known,) = [each for each in await world.breaks.all() if each.id == of]
    return known.resolved.reason if known.resolved else None


def missing_there(transaction_id: str) -> UUID:
    return break_id(Key(BreakClass.MISSING_THERE, transaction_id, None))


def test_a_charge_that_settles_after_all_resolves_its_break_and_is_late(sqlite_url: str) -> None:
    async def test() -> None:
        async with settlement_world(sqlite_url) as world:
            ((_, charge),) = await world.charged()
            await world.plant("late", charge, days=6)
            world.world.clock.advance(4 * 86_400)
            assert named((await world.reconcile()).breaks) == [("missing-there", charge)]
            batch_id = await world.settle(3)
            assert named((await world.reconcile()).breaks) == [("late", charge)]
            reason = await resolution(world, missing_there(charge))
            assert reason is not None
            assert reason.startswith(f"it settled in batch {batch_id} on ")

    run(test())


def test_a_charge_that_is_voided_resolves_its_break(sqlite_url: str) -> None:
    async def test() -> None:
        async with settlement_world(sqlite_url) as world:
            ((order_id, charge),) = await world.charged()
            await world.plant("missing-there", charge)
            world.world.clock.advance(4 * 86_400)
            (found,) = (await world.reconcile()).breaks
            assert found.found is not None
            assert found.found.next_command == f"orders payments void {order_id} --reason 'it never settled'"
            await world.world.service.operations.void(order_id, **WHY)
            assert (await world.reconcile()).breaks == []
            assert await resolution(world, missing_there(charge)) == "it was voided, so nothing is to settle"

    run(test())


def test_a_charge_of_nobody_is_resolved_when_the_background_work_has_given_it_back(sqlite_url: str) -> None:
    async def test() -> None:
        async with settlement_world(sqlite_url) as world:
            charge = await world.plant("missing-here", amount_cents=1234)
            await world.settle(1)
            (found,) = (await world.reconcile()).breaks
            assert found.found is not None
            assert (found.found.transaction_id, found.found.next_command) == (charge, "orders work")
            await world.world.reconcile()  # the background work: it refunds what is nobody's
            assert (await world.reconcile()).breaks == []
            assert await resolution(world, found.id) == "the log accounts for it now"
            await world.settle(1)
            after = await world.reconcile()
            assert (named(after.breaks), after.comparison.matched) == ([], 2)  # the charge and its refund

    run(test())


def test_a_second_charge_of_an_order_is_resolved_when_it_has_been_given_back(sqlite_url: str) -> None:
    async def test() -> None:
        async with settlement_world(sqlite_url) as world:
            ((order_id, charge),) = await world.charged()
            twice = await world.plant("charged-twice", charge)
            await world.settle(1)
            (found,) = (await world.reconcile()).breaks
            assert found.found is not None
            assert (found.found.classification, found.found.transaction_id) == (BreakClass.DUPLICATE, twice)
            assert found.found.order_id == order_id
            await world.world.reconcile()
            await world.world.take_back(order_id)
            assert (await world.reconcile()).breaks == []
            assert await resolution(world, found.id) == "it was given back"

    run(test())


def test_a_chargeback_that_the_bank_reverses_is_resolved(sqlite_url: str) -> None:
    async def test() -> None:
        async with settlement_world(sqlite_url) as world:
            ((_, charge),) = await world.charged()
            await world.settle(1)
            await world.plant("chargeback", charge)
            await world.settle(1)
            (found,) = (await world.reconcile()).breaks
            await world.plant("chargebackReversal", charge)
            await world.settle(1)
            assert (await world.reconcile()).breaks == []
            assert await resolution(world, found.id) == "the bank reversed the chargeback"

    run(test())


@pytest.mark.parametrize(("kind", "fault"), [("missing-there", "missing-there"), ("late", "late")])
def test_a_longer_grace_mends_nothing(sqlite_url: str, kind: str, fault: str) -> None:
    async def test() -> None:
        async with settlement_world(sqlite_url) as world:
            ((_, charge),) = await world.charged()
            await world.plant(fault, charge, **({"days": 4} if fault == "late" else {}))
            await world.settle(5)
            (found,) = (await world.reconcile()).breaks
            assert found.found is not None
            assert found.found.classification.value == kind
            patient = await world.reconcile(grace=timedelta(days=30))
            assert ([each.id for each in patient.breaks], await resolution(world, found.id)) == ([found.id], None)

    run(test())


def test_what_mended_by_itself_is_found_again_when_it_comes_back(sqlite_url: str) -> None:
    async def test() -> None:
        async with settlement_world(sqlite_url) as world:
            ((_, charge),) = await world.charged()
            await world.plant("amount-differs", charge, amount_cents=1)
            await world.settle(1)
            (found,) = (await world.reconcile()).breaks
            at = Metadata(world.world.clock.now(), ACTOR, "cmd_test", "cmd_test")
            found.mend(at, "the two sides agree now")
            await world.world.service.events.save(found)
            (again,) = (await world.reconcile()).breaks
            assert (again.id, again.state) == (found.id, "open")

    run(test())


def test_a_person_takes_a_break_on_hands_it_over_and_resolves_it_for_good(sqlite_url: str) -> None:
    async def test() -> None:
        async with settlement_world(sqlite_url) as world:
            ((_, charge),) = await world.charged()
            await world.plant("amount-differs", charge, amount_cents=1)
            await world.settle(1)
            (found,) = (await world.reconcile()).breaks
            for owner in ("olga", "olga", "fay"):
                owned = await world.breaks.own(found.id, owner, **WHY)
                assert (owned.owner, owned.state) == (owner, "owned")
            again = await world.reconcile()
            assert ([each.owner for each in again.breaks], again.open_breaks) == (["fay"], [])
            assert (await world.breaks.resolve(found.id, **WHY)).state == "resolved"
            assert (await world.reconcile()).breaks == []  # it still differs, and somebody has dealt with it
            history = await world.world.service.events.history(found.id)
            assert [type(event) for _, event in history] == [
                SettlementBreak.Found, SettlementBreak.Owned, SettlementBreak.Owned, SettlementBreak.Resolved,
            ]  # fmt: skip

    run(test())


def test_what_is_not_there_or_resolved_cannot_be_taken_on(sqlite_url: str) -> None:
    async def test() -> None:
        async with settlement_world(sqlite_url) as world:
            with pytest.raises(NotPossible, match="no such break"):
                await world.breaks.own(uuid4(), "olga", **WHY)
            ((_, charge),) = await world.charged()
            await world.plant("amount-differs", charge, amount_cents=1)
            await world.settle(1)
            (found,) = (await world.reconcile()).breaks
            await world.breaks.resolve(found.id, **WHY)
            with pytest.raises(NotPossible, match="looked into"):
                await world.breaks.own(found.id, "olga", **WHY)

    run(test())


def test_two_runs_at_once_find_each_break_once(database_url: str) -> None:
    async def test() -> None:
        async with settlement_world(database_url) as world:
            for _, charge in await world.charged(3):
                await world.plant("amount-differs", charge, amount_cents=1)
            await world.settle(1)
            runs = await asyncio.gather(*(world.reconcile() for _ in range(3)))
            assert [len(each.breaks) for each in runs] == [3, 3, 3]
            events = [type(event) for event in await world.world.everything()]
            assert events.count(SettlementBreak.Found) == 3

    run(test())

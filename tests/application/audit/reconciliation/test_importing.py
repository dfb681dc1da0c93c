"""Settled batches become events once: whole or not at all, however often and by however many they are imported."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from eventsourcing.persistence import StoredEvent

from application.adapters.authorizenet.settlements import AuthorizeNetSettlements
from application.audit.reconciliation import importing
from application.audit.reconciliation.importing import Imported, ImportSettlements, batch_stream_id
from application.event_log import StoreUnavailable
from application.operations import NotPossible
from application.ports import LookupFailed
from application.ports.settlement import SETTLED, BatchContents, BatchHeader
from domain.settlement import SettledTransaction, SettlementBatch
from tests.application.audit.reconciliation.world import ACTOR, SettlementWorld, no_progress, settlement_world
from tests.helpers import run

LISTS = "getSettledBatchListRequest"
ROWS = "getTransactionListRequest"


async def imported(world: SettlementWorld, settlements: AuthorizeNetSettlements | None = None) -> Imported:
    take = ImportSettlements(world.world.service.events, settlements or world.settlements, world.world.clock)
    now = world.world.clock.now()
    return await take(world.began, now, actor=ACTOR, request="cmd_test", progress=no_progress)


async def batch(world: SettlementWorld, batch_id: str) -> SettlementBatch:
    (found,) = await world.world.service.events.load((SettlementBatch, batch_stream_id(batch_id)))
    return found


def test_a_batch_is_imported_once_with_its_sums_and_the_hash_of_what_was_said(database_url: str) -> None:
    async def test() -> None:
        async with settlement_world(database_url) as world:
            (_, first), (_, second) = await world.charged(2)
            batch_id = await world.settle(1)

            assert await imported(world) == Imported(batches=1, transactions=2)
            kept = await batch(world, batch_id)
            assert kept.settled is not None
            assert (kept.settled.charged_cents, kept.settled.refunded_cents, kept.settled.transactions) == (
                37_000,
                0,
                2,
            )
            assert (len(kept.settled.answers_sha256), kept.settled.actor) == (64, ACTOR)
            events = [event for event in await world.world.everything() if isinstance(event, SettlementBatch.Event)]
            rows = [event for event in events if isinstance(event, SettlementBatch.TransactionSettled)]
            assert [row.transaction_id for row in rows] == [first, second]

            head = await world.head()
            assert await imported(world) == Imported(known_batches=1)
            assert await world.head() == head

    run(test())


def test_more_rows_than_a_page_holds_are_all_imported(sqlite_url: str) -> None:
    async def test() -> None:
        async with settlement_world(sqlite_url, page_size=2) as world:
            charged = await world.charged(5)
            batch_id = await world.settle(1)
            await imported(world)
            assert (await batch(world, batch_id)).recorded == len(charged)
            assert await world.world.calls(ROWS) == 3

    run(test())


def test_a_range_of_many_months_is_asked_for_in_parts(sqlite_url: str) -> None:
    async def test() -> None:
        async with settlement_world(sqlite_url) as world:
            for _ in range(3):
                await world.charged()
                await world.settle(31)
            assert (await imported(world)).batches == 3
            assert await world.world.calls(LISTS) == 4  # 93 days and an hour

    run(test())


@pytest.mark.parametrize(("outcome", "reason"), [("time-out", "time-out"), ("http-500", "busy")])
def test_a_failure_in_the_middle_leaves_nothing_half_imported_and_the_next_run_goes_on(
    sqlite_url: str, outcome: str, reason: str
) -> None:
    async def test() -> None:
        async with settlement_world(sqlite_url) as world:
            await world.charged(2)
            first = await world.settle(1)
            await world.charged(2)
            second = await world.settle(1)
            impatient = replace(world.settlements._config, lookup_timeout_s=0.3)
            settlements = AuthorizeNetSettlements(impatient, page_size=1)
            await world.world.gateway_fault(
                ROWS, "approved", times=4
            )  # three pages of the first batch, one of the second
            await world.world.gateway_fault(ROWS, outcome)
            with pytest.raises(LookupFailed, match=reason):
                await imported(world, settlements)
            await settlements.close()
            assert (await batch(world, first)).recorded == 2
            assert (await batch(world, second)).settled is None

            assert await imported(world) == Imported(batches=1, transactions=2, known_batches=1)
            assert (await batch(world, second)).recorded == 2

    run(test())


def test_a_batch_of_more_events_than_one_commit_takes_goes_on_where_it_was_broken_off(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "SAVED_TOGETHER", 4)

    async def test() -> None:
        async with settlement_world(database_url) as world:
            for _ in range(10):
                await world.plant("missing-here", amount_cents=700)
            batch_id = await world.settle(1)
            recorder = world.world.service.events.recorder
            with monkeypatch.context() as broken:
                broken.setattr(recorder, "insert", failing_after(1, recorder.insert))
                with pytest.raises(StoreUnavailable):
                    await imported(world)
            assert (await batch(world, batch_id)).recorded == 4

            now = world.world.clock.now()
            with pytest.raises(NotPossible, match=f"batch {batch_id} is imported in part only"):
                await world.reconcile(first=now - timedelta(days=20), last=now - timedelta(days=10))
            assert await imported(world) == Imported(batches=1, transactions=6)
            assert (await batch(world, batch_id)).complete
            assert await imported(world) == Imported(known_batches=1)
            found = await world.reconcile()
            assert len({each.found.transaction_id for each in found.breaks if each.found}) == 10

    run(test())


def failing_after(
    successes: int, insert: Callable[[Sequence[StoredEvent]], Awaitable[int]]
) -> Callable[[Sequence[StoredEvent]], Awaitable[int]]:
    """The store is lost after so many inserts."""
    left = iter(range(successes))

    async def failing(events: Sequence[StoredEvent]) -> int:
        if next(left, None) is None:
            raise StoreUnavailable("lost")
        return await insert(events)

    return failing


def test_a_batch_of_more_than_a_thousand_transactions_is_imported_and_matched(database_url: str) -> None:
    async def test() -> None:
        async with settlement_world(database_url) as world:
            at = world.world.clock.now() - timedelta(hours=1)
            rows = [SettledTransaction(str(n), None, "charge", SETTLED, 100, at) for n in range(2_500)]
            header = BatchHeader("77", at, SETTLED, 250_000, 0, b"")

            class Large(AuthorizeNetSettlements):
                async def batches(self, first: datetime, last: datetime) -> list[BatchHeader]:
                    return [header]

                async def contents(self, batch: BatchHeader) -> BatchContents:
                    return BatchContents(rows, "0" * 64)

            settlements = Large(world.settlements._config)
            both = await asyncio.gather(imported(world, settlements), imported(world, settlements))
            await settlements.close()
            kept = await batch(world, "77")
            assert (kept.complete, kept.recorded, kept.version) == (True, 2_500, 2_501)
            assert sum(each.batches for each in both) == 1

    run(test())


def test_two_that_import_at_once_import_each_batch_once(database_url: str) -> None:
    async def test() -> None:
        async with settlement_world(database_url) as world:
            await world.charged(3)
            await world.settle(1)
            both = await asyncio.gather(*(imported(world) for _ in range(3)))
            assert sorted(each.batches for each in both) == [0, 0, 1]
            events = [type(event) for event in await world.world.everything()]
            assert events.count(SettlementBatch.TransactionSettled) == 3

    run(test())


def test_a_batch_that_the_gateway_is_not_done_with_is_named_and_left(sqlite_url: str) -> None:
    class Unfinished(AuthorizeNetSettlements):
        async def batches(self, first: datetime, last: datetime) -> list[BatchHeader]:
            return [replace(each, state="settlementError") for each in await super().batches(first, last)]

    async def test() -> None:
        async with settlement_world(sqlite_url) as world:
            await world.charged()
            batch_id = await world.settle(1)
            settlements = Unfinished(world.settlements._config)
            found = await imported(world, settlements)
            await settlements.close()
            assert [(each.batch_id, each.state) for each in found.not_settled] == [(batch_id, "settlementError")]
            assert (await batch(world, batch_id)).settled is None
            assert (await imported(world)).batches == 1

    run(test())

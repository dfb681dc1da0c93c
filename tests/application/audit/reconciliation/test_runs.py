"""A run is recorded, and a month counts as compared only by runs after its end that cover it and left nothing out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.bootstrap import authorizenet_config
from application.adapters.authorizenet.settlements import AuthorizeNetSettlements
from application.adapters.recorders.memory import MemoryRecorder
from application.audit.reconciliation.runs import record_run, why_not_compared
from application.event_log import EventLog
from application.ports.settlement import BatchHeader
from application.stored_events import CODEC
from domain.stream import Metadata
from tests.application.audit.reconciliation.world import ACTOR
from tests.application.audit.test_closing import DAY, closed, month, named
from tests.helpers import run

FIRST, LAST = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
MIDDLE = FIRST + 15 * DAY
AFTER, BEFORE = LAST, LAST - timedelta(seconds=1)
Made = tuple[datetime, datetime, datetime, tuple[str, ...]]  # when, from, to, left out


@pytest.mark.parametrize(
    ("runs", "why"),
    [
        ([(AFTER, FIRST, LAST, ())], None),
        ([(AFTER, MIDDLE, LAST + DAY, ()), (AFTER, FIRST - DAY, MIDDLE, ())], None),
        ([(AFTER, FIRST, LAST, ("b9",)), (AFTER + DAY, FIRST, LAST, ())], None),
        ([], "no run since its end covers 2026-10-01 and later"),
        ([(BEFORE, FIRST, LAST, ())], "no run since its end covers 2026-10-01 and later"),
        ([(AFTER, FIRST + DAY, LAST, ())], "no run since its end covers 2026-10-01 and later"),
        ([(AFTER, FIRST, MIDDLE, ()), (AFTER, MIDDLE + DAY, LAST, ())], "no run since its end covers 2026-10-16 and"),
        ([(AFTER, FIRST, LAST, ("b9",))], "the gateway was not done with 1 batches, the first is b9"),
    ],
)
def test_a_month_is_compared_by_runs_after_its_end_that_cover_it(runs: list[Made], why: str | None) -> None:
    async def test() -> None:
        log = EventLog(MemoryRecorder(), CODEC)
        for made_at, first, last, left_out in runs:
            await record_run(log, Metadata(made_at, ACTOR, "cmd_1", "cmd_1"), first, last, left_out)
        found = await why_not_compared(log, FIRST, LAST)
        assert found is None if why is None else found is not None and found.startswith(why)

    run(test())


def test_a_month_in_which_nobody_reconciled_is_not_closed_though_nothing_was_sold(
    database_url: str, tmp_path: Path
) -> None:
    async def test() -> None:
        async with month(database_url, tmp_path) as this:
            await this.over(reconciled=False)
            reconcile = f"orders audit reconcile --from {this.first:%Y-%m-%d} --to {this.following:%Y-%m-%d}"
            assert reconcile in named(await this.close())

    run(test())


class Undecided(AuthorizeNetSettlements):
    """The gateway has batches that it is not done with."""

    async def batches(self, first: datetime, last: datetime) -> list[BatchHeader]:
        return [replace(each, state="pendingSettlement") for each in await super().batches(first, last)]


def test_a_batch_that_the_gateway_is_not_done_with_keeps_the_month_open(sqlite_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with month(sqlite_url, tmp_path) as this:
            await this.world.charged()
            await this.world.settle(1)
            await this.world.reconcile()
            done = this.world.settlements
            this.world.settlements = undecided = Undecided(authorizenet_config(this.world.world.service.settings))
            await this.over()
            (unmet,) = (await this.close()).unmet
            assert unmet.what.startswith("the month is not reconciled: the gateway was not done with 1 batches")

            await undecided.close()
            this.world.settlements = done
            await this.over()
            assert closed(await this.close()).entries == 3

    run(test())

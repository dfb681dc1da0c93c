"""Jobs beside the server: one at a time, recorded from wish to end, stopped between two batches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest

from api.bootstrap import policy_of
from api.jobs import AlreadyRunning
from api.maintaining import Maintaining
from api.read_models import REVENUE, ReadModels
from api.seals import SealedLog
from application.adapters.recorders import open_recorder
from application.adapters.system import SystemClock
from application.event_log import EventLog
from application.maintenance import DEAD_LETTERS, MaintenanceLog, Wisher
from application.stored_events import CODEC
from domain.maintenance import Maintenance
from tests.projections.histories import Wish, history
from tests.projections.world import World, opened_world

OTTO = Wisher("user:8", "figures looked odd", "req_1")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with opened_world(f"sqlite:///{tmp_path}/orders.db") as world:
        world.append(history([Wish("sent")] * 3))
        world.follow()
        yield world


def models_of(world: World) -> ReadModels:
    return ReadModels(world.settings, policy_of(world.settings), "page")


async def maintained(world: World, act: Callable[[Maintaining], object], gate: Event | None = None) -> list[object]:
    """What stands in the log after the act. The job begins only when the gate, if any, has opened."""

    def opened() -> ReadModels:
        if gate is not None:
            assert gate.wait(10)
        return models_of(world)

    log = EventLog(open_recorder(world.settings.database_url), CODEC)
    maintaining = Maintaining(opened, lambda: SealedLog(world.settings), MaintenanceLog(log, SystemClock()))
    try:
        await act(maintaining)  # type: ignore[misc]
        await maintaining.wait(10)
        return [
            *await maintaining.wishes.history(REVENUE.name),
            *await maintaining.wishes.history(DEAD_LETTERS),
        ]
    finally:
        await maintaining.close()
        await log.recorder.close()


def test_a_wish_and_its_end_are_events_of_who_asked(world: World) -> None:
    async def act(maintaining: Maintaining) -> None:
        await maintaining.rebuild(REVENUE, OTTO)
        await maintaining.wait(10)
        await maintaining.roll_back(REVENUE, OTTO)

    back, wished_back, ended, wished = asyncio.run(maintained(world, act))

    assert isinstance(wished, Maintenance.RebuildRequested)
    assert (wished.actor, wished.reason, wished.projection) == ("user:8", "figures looked odd", "revenue")
    assert isinstance(ended, Maintenance.Ended)
    assert (ended.outcome, ended.actor) == ("switched", "user:8")
    assert isinstance(wished_back, Maintenance.RollbackRequested)
    assert isinstance(back, Maintenance.Ended)
    assert back.text.startswith("generation 1 is served again")
    assert world.served(REVENUE).number == 1


def test_a_second_start_is_refused_while_the_first_runs_and_leaves_no_trace(world: World) -> None:
    gate = Event()

    async def act(maintaining: Maintaining) -> None:
        await maintaining.rebuild(REVENUE, OTTO)
        with pytest.raises(AlreadyRunning, match="rebuild of revenue is still running"):
            await maintaining.retry(None, OTTO)
        gate.set()

    found = asyncio.run(maintained(world, act, gate))

    assert [type(event) for event in found] == [Maintenance.Ended, Maintenance.RebuildRequested]


def test_what_is_told_to_stop_ends_as_stopped_and_goes_on_later(world: World) -> None:
    gate = Event()

    async def act(maintaining: Maintaining) -> None:
        await maintaining.rebuild(REVENUE, OTTO)
        maintaining.stop(Wisher("user:9", "too much load now", "req_2"))
        gate.set()
        await maintaining.wait(10)
        await maintaining.rebuild(REVENUE, OTTO)

    again, _, stopped, _ = asyncio.run(maintained(world, act, gate))

    assert isinstance(stopped, Maintenance.Ended)
    assert stopped.outcome == "stopped"
    assert stopped.text.startswith("stopped by user:9: too much load now")
    assert isinstance(again, Maintenance.Ended)
    assert again.outcome == "switched"
    assert world.served(REVENUE).number == 2


def test_what_cannot_be_done_ends_as_failed_and_says_why(world: World) -> None:
    found = asyncio.run(maintained(world, lambda maintaining: maintaining.accept(REVENUE, "0123", OTTO)))

    ended = found[0]
    assert isinstance(ended, Maintenance.Ended)
    assert ended.outcome == "failed"
    assert "rebuild it first" in ended.text


def test_a_retry_with_nothing_set_aside_is_done(world: World) -> None:
    found = asyncio.run(maintained(world, lambda maintaining: maintaining.retry(None, OTTO)))

    assert [type(event) for event in found] == [Maintenance.Ended, Maintenance.RetryRequested]


def test_an_end_that_cannot_be_stored_for_whatever_reason_does_not_keep_the_next_job_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cannot(*_: object) -> None:
        raise ValueError("an end of a kind that nobody expected")

    async def act(maintaining: Maintaining) -> None:
        with monkeypatch.context() as broken:
            broken.setattr(maintaining.wishes, "end", cannot)
            await maintaining.retry(None, OTTO)
            await maintaining.wait(10)
        assert maintaining.running is None
        await maintaining.retry(None, OTTO)

    found = asyncio.run(maintained(world, act))

    assert [type(event).__name__ for event in found] == ["Ended", "RetryRequested", "RetryRequested"]


def test_a_wish_without_an_end_is_under_way_in_every_process_until_its_time_is_over(world: World) -> None:
    gate = Event()

    async def act(maintaining: Maintaining) -> None:
        elsewhere = maintaining.wishes  # it has the log only
        assert await elsewhere.under_way(DEAD_LETTERS, timedelta(hours=1)) is None
        await maintaining.retry(None, OTTO)
        asked = await elsewhere.under_way(DEAD_LETTERS, timedelta(hours=1))
        assert isinstance(asked, Maintenance.RetryRequested)
        assert await elsewhere.under_way(DEAD_LETTERS, timedelta()) is None
        gate.set()
        await maintaining.wait(10)
        assert await elsewhere.under_way(DEAD_LETTERS, timedelta(hours=1)) is None

    asyncio.run(maintained(world, act, gate))

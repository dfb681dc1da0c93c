"""The projector: no event is applied twice, none is left out, and a restart goes on where the last run stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest
import sqlalchemy as sa

from application.adapters.sql import make_engine
from domain.notification import Notification
from domain.stream import Metadata, Stream
from projections import catch_up
from projections.catch_up import Projector, Recorded, create_tables, read_position
from tests.helpers import run

AT = Metadata(datetime(2026, 5, 1, tzinfo=UTC), "system:test", "req_1", "req_1")


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    engine = make_engine(database_url)
    create_tables(engine)
    yield engine
    engine.dispose()


class Log:
    """Events in memory, by position."""

    def __init__(self, events: int) -> None:
        self.events: list[Recorded] = []
        self.append(events)

    def append(self, events: int) -> None:
        for _ in range(events):
            number = len(self.events) + 1
            notification = Notification.empty(UUID(int=number))
            notification.raise_once(AT, kind="email-failed", order_id=None, message="m", action="a")
            event: Stream.Event = next(iter(notification.collect_events()))  # type: ignore[assignment]
            self.events.append(Recorded(number, event))

    async def __call__(self, after: int, limit: int) -> Sequence[Recorded]:
        await asyncio.sleep(0)
        return self.events[after : after + limit]


class Count:
    """How often each position was applied."""

    name = "count"

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.fails = 0

    def fold(self, connection: sa.Connection, batch: Sequence[Recorded]) -> None:
        if self.fails:
            self.fails -= 1
            raise ConnectionResetError
        self.seen += [recorded.position for recorded in batch]


def projector(engine: sa.Engine, log: Log, count: Count) -> Projector:
    return Projector(engine, (count,), log, asyncio.to_thread)


async def follow(projector: Projector) -> None:
    while await projector.catch_up():
        pass


def position(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return read_position(connection)


def test_every_event_is_applied_once_and_in_order(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catch_up, "BATCH", 7)
    log, count = Log(30), Count()
    run(follow(projector(engine, log, count)))
    assert count.seen == list(range(1, 31))
    assert position(engine) == 30


def test_a_restart_goes_on_where_the_last_run_stopped(engine: sa.Engine) -> None:
    log, count = Log(5), Count()
    run(follow(projector(engine, log, count)))
    log.append(3)
    run(follow(projector(engine, log, count)))
    assert count.seen == list(range(1, 9))


def test_two_projectors_on_one_database_never_apply_an_event_twice(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catch_up, "BATCH", 3)

    async def both() -> None:
        await asyncio.gather(*(follow(projector(engine, log, count)) for _ in range(3)))

    log, count = Log(60), Count()
    run(both())
    assert count.seen == list(range(1, 61))


def test_a_batch_that_fails_leaves_nothing_behind_and_is_applied_again(engine: sa.Engine) -> None:
    log, count = Log(4), Count()
    count.fails = 1
    ours = projector(engine, log, count)
    with pytest.raises(ConnectionResetError):
        run(follow(ours))
    assert position(engine) == 0
    run(follow(ours))
    assert count.seen == [1, 2, 3, 4]


def test_creating_the_tables_again_keeps_the_position(engine: sa.Engine) -> None:
    run(follow(projector(engine, Log(4), Count())))
    create_tables(engine)
    assert position(engine) == 4

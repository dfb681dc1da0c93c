"""The worker: what is slow holds up nothing, what fails is looked at again, and no item is ever lost to a lease."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
import sqlalchemy as sa

from api.bootstrap import migrate
from api.settings import Settings
from api.work_list import SqlWorkList
from application import work
from application.adapters.sql import make_engine
from application.adapters.system import SystemClock
from application.work import Handler, LookAgain, Worker, WorkItem, WorkKind, growing
from projections import open_work
from tests.helpers import run

ONE, TWO = UUID(int=1), UUID(int=2)


class Shop:
    """A real work list and workers on it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.lists: list[SqlWorkList] = []
        self.engine = make_engine(url)

    def open_list(self) -> SqlWorkList:
        self.lists.append(SqlWorkList(make_engine(self.url)))
        return self.lists[-1]

    def worker(self, handler: Handler, owner: str = "w", work_list: SqlWorkList | None = None) -> Worker:
        handlers = dict.fromkeys(WorkKind, handler)
        return Worker(work_list or self.open_list(), handlers, SystemClock(), owner=owner, interval_s=0.02, poll_s=0.01)

    def put(self, order_id: UUID, kind: WorkKind = WorkKind.PAYMENT, due_s: float = 1.0, ticket: int = 1) -> None:
        with self.engine.execution_options(immediate=True).begin() as connection:
            open_work.put(connection, order_id, kind.value, due_s, ticket)

    def rows(self) -> list[tuple[UUID, str, int, str | None]]:
        """Order, kind, tries and owner of what is open, but for the item that always is."""
        table = open_work.open_work
        query = sa.select(table.c.order_id, table.c.kind, table.c.tries, table.c.owner)
        with self.engine.connect() as connection:
            found = connection.execute(query.where(table.c.order_id != open_work.EVERYTHING))
            return [(row[0], row[1], row[2], row[3]) for row in found]


@asynccontextmanager
async def a_shop(database_url: str) -> AsyncIterator[Shop]:
    settings = Settings(database_url=database_url)
    await migrate(settings)
    shop = Shop(settings.views_url)
    with shop.engine.execution_options(immediate=True).begin() as connection:
        connection.execute(open_work.open_work.delete())
    try:
        yield shop
    finally:
        for opened in shop.lists:
            await opened.close()
        shop.engine.dispose()


@asynccontextmanager
async def working(worker: Worker) -> AsyncIterator[None]:
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(holds: Callable[[], bool], limit_s: float = 5.0) -> None:
    async with asyncio.timeout(limit_s):
        while not holds():
            await asyncio.sleep(0.005)


def test_what_is_done_is_gone_and_what_is_not_comes_back(database_url: str) -> None:
    async def test() -> None:
        async with a_shop(database_url) as shop:
            seen: list[WorkItem] = []

            async def handler(item: WorkItem) -> LookAgain | None:
                seen.append(item)
                return LookAgain(0.0) if item.order_id == ONE and item.tries < 2 else None

            shop.put(ONE)
            shop.put(TWO)
            async with working(shop.worker(handler)):
                await until(lambda: not shop.rows())

            assert [item.tries for item in seen if item.order_id == ONE] == [0, 1, 2]
            assert [item.tries for item in seen if item.order_id == TWO] == [0]

    run(test())


def test_a_handler_that_fails_is_tried_again_and_its_error_is_kept_without_its_text(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        async with a_shop(sqlite_url) as shop:
            tries: list[int] = []

            async def handler(item: WorkItem) -> LookAgain | None:
                tries.append(item.tries)
                if len(tries) < 3:
                    raise ValueError("what a client sent")
                return None

            shop.put(ONE)
            worker = shop.worker(handler)
            async with working(worker):
                await until(lambda: not shop.rows())

            assert tries == [0, 1, 2]
            assert worker.last_error == "ValueError"
            assert "what a client sent" not in caplog.text

    run(test())


def test_an_item_that_takes_long_does_not_hold_up_the_others(sqlite_url: str) -> None:
    async def test() -> None:
        async with a_shop(sqlite_url) as shop:
            slow = asyncio.Event()

            async def handler(item: WorkItem) -> LookAgain | None:
                if item.order_id == ONE:
                    await slow.wait()
                return None

            shop.put(ONE)
            async with working(shop.worker(handler)):
                await until(lambda: [row[3] for row in shop.rows()] == ["w"])
                shop.put(TWO)
                await until(lambda: [row[0] for row in shop.rows()] == [ONE])
                slow.set()
                await until(lambda: not shop.rows())

    run(test())


def test_an_item_that_takes_longer_than_its_lease_stays_with_its_worker(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        monkeypatch.setattr(work, "LEASE_S", 0.2)
        monkeypatch.setattr(work, "RENEW_S", 0.04)
        async with a_shop(sqlite_url) as shop:
            began: list[str] = []

            def handler_of(name: str) -> Handler:
                async def handler(item: WorkItem) -> LookAgain | None:
                    began.append(name)
                    await asyncio.sleep(0.6)
                    return None

                return handler

            shop.put(ONE)
            async with working(shop.worker(handler_of("a"), "a")), working(shop.worker(handler_of("b"), "b")):
                await until(lambda: not shop.rows())

            assert len(began) == 1

    run(test())


def test_what_a_dead_worker_held_is_taken_over_once_its_lease_has_run_out(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        monkeypatch.setattr(work, "LEASE_S", 0.2)
        async with a_shop(database_url) as shop:
            shop.put(ONE)
            assert len(await shop.open_list().claim("dead", 10, 0.2)) == 1

            async def handler(item: WorkItem) -> LookAgain | None:
                return None

            async with working(shop.worker(handler)):
                await until(lambda: not shop.rows())

    run(test())


def test_an_item_that_could_not_be_given_back_is_looked_at_again(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its worker goes on renewing what it has in hand, and must not renew this one with it."""

    async def test() -> None:
        monkeypatch.setattr(work, "LEASE_S", 0.3)
        monkeypatch.setattr(work, "RENEW_S", 0.05)
        async with a_shop(sqlite_url) as shop:
            looks: list[UUID] = []

            async def handler(item: WorkItem) -> LookAgain | None:
                looks.append(item.order_id)
                if item.order_id == TWO:
                    await asyncio.sleep(1.0)
                return None

            shop.put(ONE)
            shop.put(TWO)
            async with working(shop.worker(handler, work_list=Forgetful(shop.open_list()))):  # type: ignore[arg-type]
                await until(lambda: looks.count(ONE) == 2)

            assert looks.count(TWO) == 1

    run(test())


class Forgetful:
    """A work list whose database fails once, when something is to be finished."""

    def __init__(self, real: SqlWorkList) -> None:
        self._real = real
        self._failed = False

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Sequence[WorkItem]]]:
        found: Callable[..., Awaitable[Sequence[WorkItem]]] = getattr(self._real, name)
        return found

    async def finish(self, owner: str, item: WorkItem) -> None:
        if not self._failed:
            self._failed = True
            raise ConnectionResetError
        await self._real.finish(owner, item)


def test_no_more_is_claimed_than_there_is_room_for(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        monkeypatch.setattr(work, "BATCH", 3)
        async with a_shop(sqlite_url) as shop:
            at_once, most = 0, 0

            async def handler(item: WorkItem) -> LookAgain | None:
                nonlocal at_once, most
                at_once += 1
                most = max(most, at_once)
                await asyncio.sleep(0.01)
                at_once -= 1
                return None

            for number in range(1, 12):
                shop.put(UUID(int=number))
            async with working(shop.worker(handler)):
                await until(lambda: not shop.rows())

            assert most == 3

    run(test())


def test_run_due_handles_what_is_due_and_says_how_much_that_was(sqlite_url: str) -> None:
    async def test() -> None:
        async with a_shop(sqlite_url) as shop:

            async def handler(item: WorkItem) -> LookAgain | None:
                return None

            shop.put(ONE)
            shop.put(TWO, due_s=9e9)
            worker = shop.worker(handler)
            assert await worker.run_due() == 1
            assert await worker.run_due() == 0
            assert [row[0] for row in shop.rows()] == [TWO]

    run(test())


def test_pauses_double_up_to_the_longest() -> None:
    assert [growing(tries, 5.0, 60.0) for tries in (0, 1, 2, 3, 4, 1000)] == [5, 10, 20, 40, 60, 60]

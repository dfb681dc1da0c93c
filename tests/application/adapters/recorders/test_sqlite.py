"""Facts about stored events in a SQLite file."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from application.adapters.recorders import SqliteRecorder, sqlite_path, sqlite_writer
from application.event_log import CommitUnknown, StoreUnavailable
from tests.application.adapters.recorders.examples import event, everything, opened, outcomes
from tests.helpers import run


@contextmanager
def no_room_to_grow(file: Path) -> Iterator[None]:
    """No file of this process may grow beyond the file's present size: the operating system's way to be full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def another_writer(url: str) -> Iterator[None]:
    """Another process holds the write lock."""
    with closing(sqlite3.connect(sqlite_path(url), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def test_inserts_that_come_together_share_commits(sqlite_url: str) -> None:
    async def fact() -> None:
        async with opened(sqlite_url) as recorder:
            assert isinstance(recorder, SqliteRecorder)

            await outcomes(recorder, [[event(uuid4(), 1)] for _ in range(500)])

            assert len(await everything(recorder)) == 500
            assert recorder.commits < 50

    run(fact())


def test_a_reopened_file_goes_on_at_its_position_and_vacuum_moves_nothing(sqlite_url: str) -> None:
    async def fact() -> None:
        stream = uuid4()
        async with opened(sqlite_url) as recorder:
            for version in (1, 2, 3):
                last = await recorder.insert([event(stream, version)])
            before = await everything(recorder)
        with closing(sqlite3.connect(sqlite_path(sqlite_url))) as connection:
            connection.execute("VACUUM")
        async with opened(sqlite_url) as recorder:
            assert await everything(recorder) == before
            assert await recorder.insert([event(stream, 4)]) > last

    run(fact())


def test_commits_are_flushed_to_disk(sqlite_url: str) -> None:
    async def fact() -> None:
        async with opened(sqlite_url):
            with closing(sqlite_writer.connect(sqlite_path(sqlite_url), busy_s=1)) as connection:
                assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
                assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL

    run(fact())


def test_a_commit_that_fails_for_want_of_space_is_found_not_to_be_written(sqlite_url: str) -> None:
    async def fact() -> None:
        async with opened(sqlite_url) as recorder:
            stream = uuid4()
            await recorder.insert([event(stream, 1)])
            log = Path(f"{sqlite_path(sqlite_url)}-wal")
            with no_room_to_grow(log):
                waiting = asyncio.create_task(recorder.insert([event(stream, 2, b"x" * 20_000)]))
                await asyncio.sleep(0.05)  # the COMMIT has failed; the space comes back while it is being resolved

            with pytest.raises(StoreUnavailable):
                await waiting

            assert len(await recorder.select([stream])) == 1
            await recorder.insert([event(stream, 2)])

    run(fact())


def test_a_commit_that_cannot_be_resolved_is_unknown_and_the_writer_goes_on_later(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_writer, "RESOLVE_PAUSES_S", (0.0, 0.01))

    async def fact() -> None:
        async with opened(sqlite_url) as recorder:
            stream = uuid4()
            await recorder.insert([event(stream, 1)])
            with no_room_to_grow(Path(f"{sqlite_path(sqlite_url)}-wal")), pytest.raises(CommitUnknown):
                await recorder.insert([event(stream, 2, b"x" * 20_000)])

            await recorder.insert([event(stream, 2, b"after")])

            assert [one.state for one in await recorder.select([stream])] == [b"{}", b"after"]

    run(fact())


def test_a_file_locked_by_another_process_is_unavailable_and_then_available_again(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_writer, "WRITE_BUSY_S", 0.05)

    async def fact() -> None:
        async with opened(sqlite_url) as recorder:
            stream = uuid4()
            with another_writer(sqlite_url), pytest.raises(StoreUnavailable):
                await recorder.insert([event(stream, 1)])

            await recorder.insert([event(stream, 1)])

            assert len(await everything(recorder)) == 1

    run(fact())


def test_more_inserts_than_may_wait_are_refused_at_once(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_writer, "QUEUE_SIZE", 10)

    async def fact() -> None:
        async with opened(sqlite_url) as recorder:
            with another_writer(sqlite_url):
                waiting = [asyncio.create_task(recorder.insert([event(uuid4(), 1)])) for _ in range(100)]
                await asyncio.sleep(0.05)

                refused = [task for task in waiting if task.done()]
                assert len(refused) >= 100 - 10 - 10  # those of a first group have left the queue
                assert all(isinstance(task.exception(), StoreUnavailable) for task in refused)
            ended = await asyncio.gather(*waiting, return_exceptions=True)
            assert len(await everything(recorder)) == sum(isinstance(outcome, int) for outcome in ended) >= 10

    run(fact())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_writer_that_breaks_leaves_nobody_waiting(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise MemoryError

    async def fact() -> None:
        async with opened(sqlite_url) as recorder:
            monkeypatch.setattr(sqlite_writer.SqliteWriter, "_write", broken)

            ended = await outcomes(recorder, [[event(uuid4(), 1)] for _ in range(200)])

            assert {type(outcome) for outcome in ended} <= {CommitUnknown, StoreUnavailable}
            with pytest.raises(StoreUnavailable):
                await recorder.insert([event(uuid4(), 1)])

    run(fact())


def test_a_file_that_was_never_migrated_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        SqliteRecorder(tmp_path / "missing.db")


WRITE_UNTIL_KILLED = """
import asyncio, sys
from uuid import uuid4
from application.adapters.recorders import open_recorder
from tests.application.adapters.recorders.examples import event

async def write(recorder):
    while True:
        a, b = uuid4(), uuid4()
        await recorder.insert([event(a, 1), event(b, 1), event(a, 2)])
        print(a, b, flush=True)

async def main():
    recorder = open_recorder(sys.argv[1])
    await asyncio.gather(*(write(recorder) for _ in range(10)))

asyncio.run(main())
"""


def test_a_killed_process_leaves_every_acknowledged_insert_and_no_half_one(sqlite_url: str) -> None:
    async def fact() -> None:
        async with opened(sqlite_url):
            pass
        with subprocess.Popen(
            [sys.executable, "-c", WRITE_UNTIL_KILLED, sqlite_url], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            acknowledged = {line for _ in range(200) for line in writer.stdout.readline().split()}
            writer.kill()

        async with opened(sqlite_url) as recorder:
            found = await everything(recorder)

        assert acknowledged <= {str(one.originator_id) for one in found}
        assert len(found) % 3 == 0
        assert sum(one.originator_version == 2 for one in found) == len(found) // 3

    run(fact())

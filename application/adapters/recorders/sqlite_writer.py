"""The one thread that writes to a SQLite file: it commits the inserts of concurrent tasks in groups."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from itertools import accumulate
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from eventsourcing.persistence import Notification, StoredEvent
from msgspec import to_builtins

from application.adapters.recorders.commit_groups import GROUP_SIZE, QUEUE_SIZE, Insert, Outcome, resolved, settle
from application.event_log import CommitUnknown, Conflict, StoreUnavailable

WRITE_BUSY_S = 5.0  # how long to wait for another process that writes
CLOSE_S = 10.0
CACHE_KIB = 16_384  # the inner pages of an index over ten million events take 5 MB; by default they would not fit
EVENTS_AT_ONCE = 500  # in one statement, whose text SQLite keeps compiled
RESOLVE_PAUSES_S = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8)  # before each try to find out how a COMMIT ended


def connect(path: Path, *, busy_s: float) -> sqlite3.Connection:
    """A connection to an existing file that commits only when told to, and durably: FULL flushes at every commit.

    It may be used by several threads, one at a time per statement: SQLite serialises them.
    """
    uri = path.absolute().as_uri() + "?mode=rw"
    connection = sqlite3.connect(
        uri, uri=True, timeout=busy_s, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    return connection


class SqliteWriter:
    """Takes inserts from any event loop; when it ends, whatever still waits was certainly not written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = connect(path, busy_s=WRITE_BUSY_S)
        self._thread = threading.Thread(target=self._run, name="sqlite-writer", daemon=True)
        self._waiting: deque[Insert] = deque()
        self._lock = threading.Lock()  # of what waits, and of whether more may come
        self._wakes: SimpleQueue[None] = SimpleQueue()  # holds something while the thread has yet to look again
        self._closing = False
        self._waking: set[asyncio.AbstractEventLoop] = set()  # those that wake the thread in their next round
        self.commits = 0

    def start(self) -> None:
        self._thread.start()

    def submit(self, events: Sequence[StoredEvent]) -> asyncio.Future[int]:
        """Queue an insert; the future is resolved after its own commit. Raises StoreUnavailable."""
        insert = Insert.of(events)
        with self._lock:
            if self._closing:
                raise StoreUnavailable("closed")
            if len(self._waiting) >= QUEUE_SIZE:
                raise StoreUnavailable("too many inserts wait")
            self._waiting.append(insert)
        loop = insert.future.get_loop()
        if loop not in self._waking:
            self._waking.add(loop)
            loop.call_soon(self._wake, loop)
        return insert.future

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wake the thread a round of the loop after the first insert: what came in that round goes together, and the
        loop is done with most of it before both want the interpreter."""
        self._waking.discard(loop)
        if self._wakes.empty():
            self._wakes.put(None)

    def close(self) -> None:
        """Write what waits and end the thread."""
        with self._lock:
            self._closing = True
        self._wakes.put(None)
        self._thread.join(CLOSE_S)

    # --- on the thread ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while inserts := self._next_group():
                outcomes: list[Outcome] = [CommitUnknown("the writer failed") for _ in inserts]
                try:
                    outcomes = self._write(inserts)
                finally:
                    _deliver(inserts, outcomes)
        finally:
            with self._lock:
                self._closing = True
                left = list(self._waiting)
                self._waiting.clear()
            _deliver(left, [StoreUnavailable("closed") for _ in left])
            self._disconnect()

    def _next_group(self) -> list[Insert]:
        """The inserts that wait now; waits for the first. Empty when there is nothing left to do."""
        while True:
            with self._lock:
                if self._waiting or self._closing:
                    return [self._waiting.popleft() for _ in range(min(len(self._waiting), GROUP_SIZE))]
            self._wakes.get()

    def _write(self, inserts: Sequence[Insert]) -> list[Outcome]:
        if (written := self._write_at_once(inserts)) is not None:
            return written
        try:
            connection = self._connect()
            connection.execute("BEGIN IMMEDIATE")
            outcomes = [_insert(connection, insert.events) for insert in inserts]
        except sqlite3.Error as error:
            self._disconnect()
            return [StoreUnavailable(str(error)) for _ in inserts]
        try:
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            return self._resolve(inserts, outcomes, str(error))
        self.commits += 1
        return outcomes

    def _write_at_once(self, inserts: Sequence[Insert]) -> list[Outcome] | None:
        """All inserts as one statement that commits by itself: every call into SQLite means waiting for the
        interpreter again. None where one of them conflicts, or there are too many: nothing was written."""
        events = [event for insert in inserts for event in insert.events]
        if len(events) > EVENTS_AT_ONCE:
            return None
        try:
            last = _insert(self._connect(), events)
        except sqlite3.Error as error:
            if _primary_code(error) == sqlite3.SQLITE_BUSY:  # it did not begin
                self._disconnect()
                return [StoreUnavailable(str(error)) for _ in inserts]
            return self._resolve(inserts, [0] * len(inserts), str(error))
        if not isinstance(last, int):
            return [last] if len(inserts) == 1 else None
        self.commits += 1
        first = last - len(events) + 1
        ends = accumulate(len(insert.events) for insert in inserts)
        return [first + end - 1 for end in ends]

    def _connect(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self._path, busy_s=WRITE_BUSY_S)
        return self._connection

    def _disconnect(self) -> None:
        """Roll back whatever is open; SQLite may have done so already, which later statements must not run into."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _resolve(self, inserts: Sequence[Insert], outcomes: Sequence[Outcome], reason: str) -> list[Outcome]:
        """Find out how each insert ended after its COMMIT reported an error; a conflict stays one."""
        for pause_s in RESOLVE_PAUSES_S:
            time.sleep(pause_s)
            self._disconnect()
            with suppress(sqlite3.Error):
                connection = self._connect()
                _overwrite_lost_frames(connection)
                return [
                    resolved(insert, _written(connection, insert.events)) if isinstance(outcome, int) else outcome
                    for insert, outcome in zip(inserts, outcomes, strict=True)
                ]
        return [CommitUnknown(reason) if isinstance(outcome, int) else outcome for outcome in outcomes]


def _insert(connection: sqlite3.Connection, events: Sequence[StoredEvent]) -> Outcome:
    """One statement for all rows: when a row conflicts, SQLite undoes this statement and keeps the transaction."""
    values: list[Any] = []
    for event in events:
        # The state as a bytearray: for bytes, sqlite3 looks for an adapter first.
        values += (to_builtins(event.originator_id), event.originator_version, event.topic, bytearray(event.state))
    try:
        cursor = connection.execute(_insertion(len(events)), values)
    except sqlite3.IntegrityError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_CONSTRAINT_UNIQUE:
            raise
        return Conflict()
    assert cursor.lastrowid is not None
    return cursor.lastrowid


@cache
def _insertion(events: int) -> str:
    """The statement for so many events."""
    rows = ",".join(["(?,?,?,?)"] * events)
    return f"INSERT INTO stored_events (originator_id, originator_version, topic, state) VALUES {rows}"  # noqa: S608


def _primary_code(error: sqlite3.Error) -> int | None:
    """SQLite's result code without what its extended codes add; None where the error is Python's own."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _overwrite_lost_frames(connection: sqlite3.Connection) -> None:
    """A commit that changes nothing, as a fence.

    A COMMIT whose flush failed can leave complete frames behind the end of the write-ahead log. Nobody sees them, but
    a recovery after a crash would take them for committed; the next commit is written over them.
    """
    ((version,),) = connection.execute("PRAGMA user_version").fetchall()
    connection.execute(f"PRAGMA user_version = {int(version)}")


def _written(connection: sqlite3.Connection, events: Sequence[StoredEvent]) -> list[Notification]:
    query = "SELECT notification_id, topic, state FROM stored_events WHERE originator_id = ? AND originator_version = ?"
    return [
        Notification(event.originator_id, event.originator_version, topic, state, id=position)
        for event in events
        for position, topic, state in connection.execute(query, (str(event.originator_id), event.originator_version))
    ]


def _deliver(inserts: Sequence[Insert], outcomes: Sequence[Outcome]) -> None:
    """Resolve the futures on their own loops, with one call per loop."""
    by_loop: defaultdict[asyncio.AbstractEventLoop, list[tuple[Insert, Outcome]]] = defaultdict(list)
    for insert, outcome in zip(inserts, outcomes, strict=True):
        by_loop[insert.future.get_loop()].append((insert, outcome))
    for loop, results in by_loop.items():
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, results)

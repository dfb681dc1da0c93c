"""The stores of the floor: rows of 300 bytes, one commit per save, unique on stream and version, and nothing else."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Awaitable, Sequence
from typing import Any, Final, Protocol
from uuid import UUID

import asyncpg

Row = tuple[UUID, int, str, bytes]  # stream, version, topic, state

_SQLITE_TABLE: Final = """
CREATE TABLE events (position INTEGER PRIMARY KEY AUTOINCREMENT, stream BLOB NOT NULL, version INTEGER NOT NULL,
    topic TEXT NOT NULL, state BLOB NOT NULL, UNIQUE (stream, version))
"""
_SQLITE_INSERT: Final = "INSERT INTO events (stream, version, topic, state) VALUES (?, ?, ?, ?)"
_POSTGRESQL_TABLE: Final = """
CREATE TABLE events (position bigint GENERATED ALWAYS AS IDENTITY UNIQUE, stream uuid NOT NULL, version bigint NOT NULL,
    topic text NOT NULL, state bytea NOT NULL, PRIMARY KEY (stream, version));
CREATE FUNCTION insert_in_order(uuid[], bigint[], text[], bytea[]) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_advisory_xact_lock(1);
    INSERT INTO events (stream, version, topic, state) SELECT * FROM unnest($1, $2, $3, $4);
END $$;
"""
_POSTGRESQL_INSERT: Final = (
    "INSERT INTO events (stream, version, topic, state)"
    " SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::bytea[])"
)
_POSTGRESQL_INSERT_IN_ORDER: Final = "SELECT insert_in_order($1, $2, $3, $4)"


class Store(Protocol):
    def save(self, rows: Sequence[Row]) -> Awaitable[None]:
        """The rows in one commit, durable when it is done."""
        ...


class SqlitePerOrder:
    """One commit per save, on the thread of the event loop: no hop costs less than a flush on this path."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite_connection(path)

    async def save(self, rows: Sequence[Row]) -> None:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(_SQLITE_INSERT, _for_sqlite(rows))
        connection.execute("COMMIT")


class SqliteGrouped:
    """One writer thread: the saves that wait at the same time share a commit."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite_connection(path)
        self._waiting: deque[tuple[Sequence[Row], asyncio.Future[None]]] = deque()
        self._some = threading.Semaphore(0)
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._write, daemon=True).start()

    def save(self, rows: Sequence[Row]) -> asyncio.Future[None]:
        future = self._loop.create_future()
        self._waiting.append((rows, future))
        self._some.release()
        return future

    def _write(self) -> None:
        connection = self._connection
        while True:
            self._some.acquire()
            group = [self._waiting.popleft()]
            while self._waiting and self._some.acquire(blocking=False):
                group.append(self._waiting.popleft())
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_SQLITE_INSERT, [row for rows, _ in group for row in _for_sqlite(rows)])
            connection.execute("COMMIT")
            self._loop.call_soon_threadsafe(_resolve, [future for _, future in group])


class Postgresql:
    """One statement per save, in one round trip; `gap_free` orders the positions with an advisory lock."""

    def __init__(self, pool: Any, *, gap_free: bool) -> None:
        self._pool = pool
        self._insert = _POSTGRESQL_INSERT_IN_ORDER if gap_free else _POSTGRESQL_INSERT

    async def save(self, rows: Sequence[Row]) -> None:
        async with self._pool.acquire() as connection:
            await connection.execute(self._insert, *zip(*rows, strict=True))


async def open_store(kind: str, database: str) -> Store:
    """kind: sqlite, sqlite-grouped, postgresql, postgresql-gap-free. database: a file, or a URL."""
    match kind:
        case "sqlite":
            return SqlitePerOrder(database)
        case "sqlite-grouped":
            return SqliteGrouped(database)
        case "postgresql" | "postgresql-gap-free":
            pool = await asyncpg.create_pool(database, min_size=4, max_size=16, reset=_keep)
            return Postgresql(pool, gap_free=kind == "postgresql-gap-free")
    raise ValueError(kind)


def create_sqlite(path: str) -> None:
    connection = sqlite_connection(path)
    connection.execute(_SQLITE_TABLE)
    connection.close()


async def create_postgresql(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(_POSTGRESQL_TABLE)
    await connection.close()


def sqlite_connection(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _for_sqlite(rows: Sequence[Row]) -> list[tuple[bytes, int, str, bytes]]:
    return [(stream.bytes, version, topic, state) for stream, version, topic, state in rows]


def _resolve(futures: Sequence[asyncio.Future[None]]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)


async def _keep(_connection: Any) -> None:
    """A session is not reset between two saves."""

"""SQL for the adapters: engines for SQLite and PostgreSQL, and a small pool of threads that keeps the loop free.

Every wait has an end: for a connection, a statement, a lock, an idle transaction, a dead network and a free thread.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import BoundedSemaphore
from time import monotonic, sleep
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, DateTime, Dialect, Engine, TypeDecorator, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError

T = TypeVar("T")

CONNECT_TIMEOUT_S = 3
STATEMENT_TIMEOUT_S = 5
LOCK_TIMEOUT_S = 5
IDLE_IN_TRANSACTION_TIMEOUT_S = 10
POOL_TIMEOUT_S = 5
CALL_TIMEOUT_S = 20  # connection, pool, two statements: longer than all of the above may take in turn
CONNECTIONS_KEPT = 4
CONNECTIONS_MORE = 4
CONNECTION_AGE_S = 1800
MIGRATION_LOCK = 0x6F72_6465_7273_0001  # "orders", 1: a key of PostgreSQL's advisory locks


class Busy(Exception):
    """More calls wait for a thread than the pool may hold."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time, to the microsecond. SQLite keeps it as text that sorts as the time does."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        assert value is None or value.tzinfo is not None, "times are aware"
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def make_engine(url: str) -> Engine:
    """An engine for `sqlite:///folder/file.db` or `postgresql://...` (also over a Unix socket, as `?host=/folder`).

    Nothing is connected yet; the folder of an SQLite file is made. Raises ValueError for any other kind of database.
    """
    parsed = make_url(url)
    match parsed.get_backend_name():
        case "sqlite" if parsed.database and parsed.database != ":memory:":
            return _sqlite_engine(parsed, Path(parsed.database))
        case "postgresql" | "postgres":
            return _postgresql_engine(parsed.set(drivername="postgresql+psycopg"))
    raise ValueError("a database is either sqlite:///file or postgresql://...")


def _sqlite_engine(url: URL, file: Path) -> Engine:
    file.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url,
        hide_parameters=True,  # errors are logged; what people sent is not
        pool_size=CONNECTIONS_KEPT,
        max_overflow=CONNECTIONS_MORE,
        pool_timeout=POOL_TIMEOUT_S,
        connect_args={"timeout": LOCK_TIMEOUT_S},  # busy_timeout
    )
    event.listen(engine, "connect", _prepare_sqlite_connection)
    event.listen(engine, "begin", _begin_sqlite_transaction)
    return engine


def _prepare_sqlite_connection(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: the driver would not before a SELECT
    _ensure_write_ahead_log(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")  # what is erased is overwritten


def _ensure_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Processes that meet at a new file may not all wait in turn here, so the busy time-out is kept by hand."""
    deadline = monotonic() + LOCK_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if monotonic() > deadline:
                raise
            sleep(0.01)
        else:
            return


def _begin_sqlite_transaction(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("isolation_level") != "AUTOCOMMIT":
        # A transaction that reads before it writes must have the lock from the start, or SQLite refuses it later.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("immediate") else "BEGIN")


def _postgresql_engine(url: URL) -> Engine:
    limits = {
        "statement_timeout": STATEMENT_TIMEOUT_S,
        "lock_timeout": LOCK_TIMEOUT_S,
        "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_TIMEOUT_S,
    }
    given = url.normalized_query.get("options", ())
    options = " ".join([*given, *(f"-c {name}={seconds}s" for name, seconds in limits.items())])
    return create_engine(
        url,
        hide_parameters=True,
        pool_size=CONNECTIONS_KEPT,
        max_overflow=CONNECTIONS_MORE,
        pool_timeout=POOL_TIMEOUT_S,
        pool_recycle=CONNECTION_AGE_S,
        use_native_hstore=False,  # spares a query per engine
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_S,
            "options": options,
            "tcp_user_timeout": LOCK_TIMEOUT_S * 1000,  # a network that swallows packets
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
        },
    )


@contextmanager
def migrating(engine: Engine) -> Iterator[Connection]:
    """A transaction in which to create tables. Processes that start together do it one after the other."""
    with engine.execution_options(immediate=True).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        yield connection


class SqlThreads:
    """Runs blocking SQL of one adapter on a few threads of its own, for callers on the event loop.

    A call whose connection turns out to be dead is made once more, so every call must be one that may come twice.
    Raises SQLAlchemyError, TimeoutError, or Busy when `waiting` calls are under way already.
    """

    def __init__(self, engine: Engine, name: str, *, threads: int = 4, waiting: int = 1000) -> None:
        self.engine = engine
        self._autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._immediate = engine.execution_options(immediate=True)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=f"sql-{name}")
        self._places = BoundedSemaphore(waiting)

    async def statement(self, work: Callable[[Connection], T]) -> T:
        """Run `work` with every statement on its own, in one round trip each."""
        return await self.run_blocking(lambda: self._with_connection(self._autocommit, work))

    async def transaction(self, work: Callable[[Connection], T], *, timeout_s: float = CALL_TIMEOUT_S) -> T:
        """Run `work` in one transaction that writes."""
        return await self.run_blocking(lambda: self._with_connection(self._immediate, work), timeout_s=timeout_s)

    async def run_blocking(self, call: Callable[[], T], *, timeout_s: float = CALL_TIMEOUT_S) -> T:
        if not self._places.acquire(blocking=False):
            raise Busy("too many database calls are waiting")
        try:
            future = self._threads.submit(call)
        except RuntimeError:  # closed
            self._places.release()
            raise
        future.add_done_callback(lambda _: self._places.release())
        async with asyncio.timeout(timeout_s):
            return await asyncio.wrap_future(future)

    async def close(self) -> None:
        """Let the calls under way end, then close threads and connections."""
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)
        self.engine.dispose()

    @staticmethod
    def _with_connection(engine: Engine, work: Callable[[Connection], T]) -> T:
        def once() -> T:
            with engine.begin() as connection:
                return work(connection)

        try:
            return once()
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            return once()

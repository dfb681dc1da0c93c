"""Which import of the directory is in force: a number that grows with every import, for caches to compare.

On SQLite it is read from the file each time, which takes microseconds. On PostgreSQL a listener is told of every
import; while there is no listener the number is unknown, and nothing may be remembered.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Protocol

from application.adapters.directory.tables import CHANGED
from application.adapters.postgresql_listener import listen_until_lost
from application.adapters.recorders.postgresql_sessions import DATABASE_ERRORS

log = logging.getLogger(__name__)

RETRY_S = 1.0
REREAD_S = 0.02  # a notification from PostgreSQL takes about as long
PING_S = 5.0  # how often a silent connection is checked


class Generation(Protocol):
    def current(self) -> int | None:
        """The number now; None where it cannot be known."""
        ...

    async def close(self) -> None: ...


class SqliteGeneration:
    """Read on the caller's thread, at most once in REREAD_S."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._known: int | None = None
        self._read_at = -REREAD_S

    def current(self) -> int | None:
        now = monotonic()
        if now - self._read_at >= REREAD_S:
            self._known, self._read_at = self._read(), now
        return self._known

    def _read(self) -> int | None:
        try:
            if self._connection is None:
                uri = self._path.absolute().as_uri() + "?mode=ro"
                self._connection = sqlite3.connect(uri, uri=True, timeout=0.1, isolation_level=None)
            row = self._connection.execute("SELECT generation FROM directory_state").fetchone()
        except sqlite3.Error:
            return None
        return int(row[0]) if row else None

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


class PostgresGeneration:
    """Follows NOTIFY on a connection of its own; begins at the first question."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._task: asyncio.Task[None] | None = None
        self._count = 0
        self._listening = False

    def current(self) -> int | None:
        if self._task is None:
            self._task = asyncio.create_task(self._follow(), name="directory listener")
        return self._count if self._listening else None

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _follow(self) -> None:
        while True:
            try:
                await listen_until_lost(
                    self._dsn, CHANGED, check_s=PING_S, began=self._begin, heard=self._changed, ended=self._end
                )
            except DATABASE_ERRORS as error:
                log.warning("no listener for imports of the directory: %s", type(error).__name__)
            finally:
                self._end()
            await asyncio.sleep(RETRY_S)

    def _begin(self) -> None:
        self._count += 1  # what came before the listener is not known
        self._listening = True

    def _end(self) -> None:
        self._listening = False

    def _changed(self) -> None:
        self._count += 1

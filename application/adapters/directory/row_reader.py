"""Reads rows for requests: fixed SQL on a connection of its own, without a query builder and without another thread.

The same text serves both databases; parameters are written $1, $2, ... The values come as the driver gives them:
`instant`, `document` and `identifier` make them alike.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from application.adapters.recorders.postgresql_sessions import DATABASE_ERRORS, PostgresSessions
from application.ports import DirectoryUnavailable

BUSY_S = 0.2  # a reader waits for nobody in WAL mode, except where a crashed writer's log is recovered
CONNECTIONS = 4


class RowReader(Protocol):
    async def rows(self, statement: str, *values: object) -> Sequence[Sequence[Any]]:
        """All rows. Raises DirectoryUnavailable."""
        ...

    async def close(self) -> None: ...


class SqliteRows:
    """On the caller's thread: a read takes microseconds, a hop to another thread takes longer."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    async def rows(self, statement: str, *values: object) -> Sequence[Sequence[Any]]:
        try:
            if self._connection is None:
                uri = self._path.absolute().as_uri() + "?mode=rw"
                self._connection = sqlite3.connect(uri, uri=True, timeout=BUSY_S, isolation_level=None)
            return self._connection.execute(statement.replace("$", "?"), values).fetchall()
        except sqlite3.Error as error:
            await self.close()
            raise DirectoryUnavailable(type(error).__name__) from error

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class PostgresRows:
    """On a small pool; each statement is prepared once per connection."""

    def __init__(self, dsn: str) -> None:
        self._sessions = PostgresSessions(dsn, CONNECTIONS)

    async def rows(self, statement: str, *values: object) -> Sequence[Sequence[Any]]:
        try:
            async with self._sessions.session() as session:
                found: Sequence[Sequence[Any]] = await session.fetch(statement, *values)
                return found
        except DATABASE_ERRORS as error:
            raise DirectoryUnavailable(type(error).__name__) from error

    async def close(self) -> None:
        await self._sessions.close()


def instant(value: Any) -> datetime | None:
    """An aware UTC time; SQLite keeps it as text without a zone."""
    if value is None:
        return None
    moment: datetime = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def document(value: Any) -> Any:
    """A JSON column, which both drivers give as text."""
    return json.loads(value)


def identifier(value: Any) -> UUID:
    """A UUID column; SQLite keeps it as 32 hex digits."""
    return UUID(value) if isinstance(value, str) else UUID(int=value.int)

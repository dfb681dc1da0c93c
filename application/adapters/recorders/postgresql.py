"""Stored events in PostgreSQL, for any number of processes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from eventsourcing.persistence import Notification, StoredEvent

from application.adapters.recorders.postgresql_sessions import DATABASE_ERRORS, PostgresSessions
from application.adapters.recorders.postgresql_writer import COLUMNS, EVERYTHING, SELECT, PostgresWriter, notification
from application.event_log import StoreUnavailable

NOTIFICATIONS = f"SELECT {COLUMNS} FROM stored_events WHERE notification_id >= $1 ORDER BY notification_id LIMIT $2"  # noqa: S608
NOTIFICATIONS_OF_TOPICS = NOTIFICATIONS.replace("ORDER BY", "AND topic = ANY($3::text[]) ORDER BY")
MAX_POSITION = "SELECT coalesce(max(notification_id), 0) FROM stored_events"


class PostgresRecorder:
    """One event loop, any number of tasks and processes; the database must have been migrated."""

    def __init__(self, dsn: str, *, max_connections: int = 8) -> None:
        self._sessions = PostgresSessions(dsn, max_connections)
        self._writer = PostgresWriter(self._sessions)
        self._closed = False

    @property
    def commits(self) -> int:
        """Transactions committed so far; fewer than inserts where inserts came together."""
        return self._writer.commits

    async def insert(self, events: Sequence[StoredEvent]) -> int:
        return await self._writer.submit(events)

    async def select(self, stream_ids: Sequence[UUID], *, up_to: int | None = None) -> list[Notification]:
        return await self._read(SELECT, list(stream_ids), EVERYTHING if up_to is None else up_to)

    async def notifications(self, start: int, limit: int, topics: Sequence[str] = ()) -> list[Notification]:
        if topics:
            return await self._read(NOTIFICATIONS_OF_TOPICS, start, limit, list(topics))
        return await self._read(NOTIFICATIONS, start, limit)

    async def max_position(self) -> int:
        ((position,),) = await self._rows(MAX_POSITION)
        return int(position)

    async def close(self) -> None:
        self._closed = True
        await self._writer.close()
        await self._sessions.close()

    async def _read(self, query: str, *values: Any) -> list[Notification]:
        return [notification(row) for row in await self._rows(query, *values)]

    async def _rows(self, query: str, *values: Any) -> list[Any]:
        if self._closed:
            raise StoreUnavailable("closed")
        try:
            async with self._sessions.session() as session:
                rows: list[Any] = await session.fetch(query, *values)
                return rows
        except DATABASE_ERRORS as error:
            raise StoreUnavailable(type(error).__name__) from error

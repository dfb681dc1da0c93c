"""Stored events in a SQLite file: one writer thread for all tasks, reads on the event loop's own thread."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from eventsourcing.persistence import Notification, StoredEvent

from application.adapters.recorders.sqlite_writer import SqliteWriter, connect
from application.event_log import StoreUnavailable

COLUMNS = "notification_id, originator_id, originator_version, topic, state"

READ_BUSY_S = 0.2  # a reader waits for nobody in WAL mode, except where a crashed writer's log is recovered


class SqliteRecorder:
    """One process, any number of tasks; the file must have been migrated. Raises StoreUnavailable where it cannot open.

    Reads happen on the caller's thread: they take microseconds, a hop to another thread takes longer.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._reader = connect(path, busy_s=READ_BUSY_S)
            self._writer = SqliteWriter(path)
        except sqlite3.Error as error:
            raise StoreUnavailable(str(error)) from error
        self._writer.start()

    @property
    def commits(self) -> int:
        """Transactions committed so far; fewer than inserts where inserts came together."""
        return self._writer.commits

    async def insert(self, events: Sequence[StoredEvent]) -> int:
        return await self._writer.submit(events)

    async def select(self, stream_ids: Sequence[UUID], *, up_to: int | None = None) -> list[Notification]:
        query = f"SELECT {COLUMNS} FROM stored_events WHERE originator_id IN ({_marks(stream_ids)})"  # noqa: S608
        values: list[Any] = [str(stream_id) for stream_id in stream_ids]
        if up_to is not None:
            query += " AND notification_id <= ?"
            values.append(up_to)
        return self._read(query + " ORDER BY originator_id, originator_version", values)

    async def notifications(self, start: int, limit: int, topics: Sequence[str] = ()) -> list[Notification]:
        query = f"SELECT {COLUMNS} FROM stored_events WHERE notification_id >= ?"  # noqa: S608
        if topics:
            query += f" AND topic IN ({_marks(topics)})"
        return self._read(query + " ORDER BY notification_id LIMIT ?", [start, *topics, limit])

    async def max_position(self) -> int:
        ((position,),) = self._rows("SELECT coalesce(max(notification_id), 0) FROM stored_events", ())
        return int(position)

    async def close(self) -> None:
        await asyncio.to_thread(self._writer.close)
        self._reader.close()

    def _read(self, query: str, values: Sequence[Any]) -> list[Notification]:
        return [
            Notification(UUID(stream_id), version, topic, state, id=position)
            for position, stream_id, version, topic, state in self._rows(query, values)
        ]

    def _rows(self, query: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        try:
            return self._reader.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise StoreUnavailable(str(error)) from error


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))

"""Stored events in memory, with the semantics of the databases: for simulation and tests in one event loop."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from eventsourcing.persistence import Notification, StoredEvent

from application.event_log import Conflict, StoreUnavailable


class MemoryRecorder:
    """Every call lets other tasks run once first, as a database would."""

    def __init__(self) -> None:
        self._log: list[Notification] = []
        self._streams: defaultdict[UUID | str, list[Notification]] = defaultdict(list)
        self._taken: set[tuple[UUID | str, int]] = set()
        self._closed = False

    async def insert(self, events: Sequence[StoredEvent]) -> int:
        await self._turn()
        keys = {(event.originator_id, event.originator_version) for event in events}
        if len(keys) < len(events) or not self._taken.isdisjoint(keys):
            raise Conflict
        self._taken |= keys
        for position, event in enumerate(events, start=len(self._log) + 1):
            notification = Notification(
                event.originator_id, event.originator_version, event.topic, event.state, id=position
            )
            self._log.append(notification)
            self._streams[event.originator_id].append(notification)
        return len(self._log)

    async def select(self, stream_ids: Sequence[UUID], *, up_to: int | None = None) -> list[Notification]:
        await self._turn()
        limit = len(self._log) if up_to is None else up_to
        return [
            event
            for stream_id in stream_ids
            for event in sorted(self._streams.get(stream_id, ()), key=lambda event: event.originator_version)
            if event.id <= limit
        ]

    async def notifications(self, start: int, limit: int, topics: Sequence[str] = ()) -> list[Notification]:
        await self._turn()
        following = self._log[max(start, 1) - 1 :]
        return [event for event in following if not topics or event.topic in topics][:limit]

    async def max_position(self) -> int:
        await self._turn()
        return len(self._log)

    async def close(self) -> None:
        self._closed = True

    async def _turn(self) -> None:
        await asyncio.sleep(0)
        if self._closed:
            raise StoreUnavailable("closed")

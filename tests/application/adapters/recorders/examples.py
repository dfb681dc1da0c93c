"""Stored events to insert, and an opened recorder to insert them into."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from eventsourcing.persistence import Notification, StoredEvent

from application.adapters.recorders import MemoryRecorder, open_recorder
from application.adapters.recorders.migrations import migrate
from application.event_log import Recorder

TOPIC = "example.happened.v1"


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Recorder]:
    """A recorder of the migrated database; in memory for any URL that is not one of a database."""
    recorder: Recorder
    if url == "memory:":
        recorder = MemoryRecorder()
    else:
        await migrate(url)
        recorder = open_recorder(url)
    try:
        yield recorder
    finally:
        await recorder.close()


def event(stream: UUID, version: int, state: bytes = b"{}", topic: str = TOPIC) -> StoredEvent:
    return StoredEvent(stream, version, topic, state)


def same(stored: Sequence[StoredEvent], expected: Sequence[StoredEvent]) -> bool:
    """Whether these are the same events, wherever they stand."""
    return [_content(one) for one in stored] == [_content(one) for one in expected]


def _content(one: StoredEvent) -> tuple[Any, ...]:
    return one.originator_id, one.originator_version, one.topic, one.state


async def outcomes(recorder: Recorder, inserts: Sequence[Sequence[StoredEvent]]) -> list[int | BaseException]:
    """Insert all of them at the same time; how each one ended."""
    return await asyncio.gather(*(recorder.insert(events) for events in inserts), return_exceptions=True)


async def everything(recorder: Recorder) -> list[Notification]:
    return await recorder.notifications(1, 100_000)

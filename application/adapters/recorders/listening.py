"""Hears of new events, whichever process wrote them. Only a wake-up: who follows the log also looks by itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from uuid import UUID

from eventsourcing.persistence import Notification, StoredEvent

from application.adapters.postgresql_listener import listen_until_lost
from application.adapters.recorders.postgresql_sessions import DATABASE_ERRORS
from application.event_log import Recorder

log = logging.getLogger(__name__)

CHANNEL = "stored_events"  # the writers of all processes notify it
RETRY_S = 2.0
CHECK_S = 30.0  # a connection that died without a word is found by a question now and then


async def listen(dsn: str, wake: Callable[[], None]) -> None:
    """Call `wake` whenever PostgreSQL says that events were written. Until cancelled."""
    while True:
        try:
            # At its beginning for what came before.
            await listen_until_lost(dsn, CHANNEL, check_s=CHECK_S, began=wake, heard=wake)
        except DATABASE_ERRORS as error:
            log.warning("the listener lost its connection and tries again: %s", type(error).__name__)
        await asyncio.sleep(RETRY_S)


class SignallingRecorder:
    """A recorder that says when this process has written: SQLite tells nobody."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.wake: Callable[[], None] = lambda: None

    async def insert(self, events: Sequence[StoredEvent]) -> int:
        position = await self._recorder.insert(events)
        self.wake()
        return position

    async def select(self, stream_ids: Sequence[UUID], *, up_to: int | None = None) -> list[Notification]:
        return await self._recorder.select(stream_ids, up_to=up_to)

    async def notifications(self, start: int, limit: int, topics: Sequence[str] = ()) -> list[Notification]:
        return await self._recorder.notifications(start, limit, topics)

    async def max_position(self) -> int:
        return await self._recorder.max_position()

    async def close(self) -> None:
        await self._recorder.close()

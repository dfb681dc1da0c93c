"""What lies under the simulated database: memory, or a real recorder on an event loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar
from uuid import UUID

from eventsourcing.persistence import Notification, StoredEvent

from application.adapters.recorders import MemoryRecorder, open_recorder
from application.adapters.recorders.migrations import migrate
from application.event_log import Recorder

T = TypeVar("T")


class WorldRecorder(Recorder, Protocol):
    """A recorder that can also be read without waiting."""

    def everything_after(self, position: int) -> Sequence[Notification]: ...


class MemoryStore(MemoryRecorder):
    """The recorder for memory."""

    def everything_after(self, position: int) -> Sequence[Notification]:
        return self._log[position:]


class RealStore:
    """A recorder of a real database. Its own event loop runs on a thread; the virtual time stands still meanwhile."""

    def __init__(self, url: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="real recorder", daemon=True)
        self._thread.start()
        self._wait(migrate(url))
        self._recorder = self._wait(_opened(url))

    async def insert(self, events: Sequence[StoredEvent]) -> int:
        return self._wait(self._recorder.insert(events))

    async def select(self, stream_ids: Sequence[UUID], *, up_to: int | None = None) -> list[Notification]:
        return self._wait(self._recorder.select(stream_ids, up_to=up_to))

    async def notifications(self, start: int, limit: int, topics: Sequence[str] = ()) -> list[Notification]:
        return self._wait(self._recorder.notifications(start, limit, topics))

    async def max_position(self) -> int:
        return self.head()

    async def close(self) -> None:
        """See `stop`."""

    def head(self) -> int:
        return self._wait(self._recorder.max_position())

    def everything_after(self, position: int) -> Sequence[Notification]:
        return self._wait(self._recorder.notifications(position + 1, 10_000))

    def stop(self) -> None:
        self._wait(self._recorder.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait(self, call: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(call, self._loop).result(timeout=30)


async def _opened(url: str) -> Recorder:
    return open_recorder(url)


@contextmanager
def real_store(url: str) -> Iterator[RealStore]:
    store = RealStore(url)
    try:
        yield store
    finally:
        store.stop()

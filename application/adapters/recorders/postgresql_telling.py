"""When PostgreSQL is asked to tell its listeners of new events.

A NOTIFY wakes every listener, and its commit queues for one lock of the whole server. Under load the events of a moment
are told together; whoever follows the log would wait for some to come together anyway.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import monotonic
from typing import Final

from application.adapters.recorders.postgresql_sessions import DATABASE_ERRORS, PostgresSessions

EVERY_S: Final = 0.04  # of one writing process
CLOSE_S: Final = 1.0
TELL: Final = "SELECT pg_notify('stored_events', '')"


class Telling:
    """Of one writer: at once, and again after EVERY_S at the earliest. What is lost with the process or a connection is
    found by followers, which look by themselves now and then."""

    def __init__(self, sessions: PostgresSessions) -> None:
        self._sessions = sessions
        self._told_at = -EVERY_S
        self._waits = False  # a telling is to come
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_due(self) -> bool:
        """Whether the next insert is to tell by itself."""
        return not self._waits and monotonic() - self._told_at >= EVERY_S

    def written(self, *, told: bool) -> None:
        """An insert was committed, and told of itself or not."""
        if told:
            self._told_at = monotonic()
        elif not self._waits:
            self._waits = True
            task = asyncio.create_task(self._tell_later(self._told_at + EVERY_S - monotonic()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """What was not told yet is told, where that takes no longer than CLOSE_S."""
        if tasks := list(self._tasks):
            _, late = await asyncio.wait(tasks, timeout=CLOSE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _tell_later(self, wait_s: float) -> None:
        await asyncio.sleep(wait_s)
        self._told_at, self._waits = monotonic(), False  # what is written from now on is told later
        with suppress(*DATABASE_ERRORS):
            async with self._sessions.session() as session:
                await session.fetchval(TELL)

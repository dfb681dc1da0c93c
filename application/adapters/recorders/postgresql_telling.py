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
TELL: Final = "SELECT pg_notify('stored_events', '')"


class Telling:
    """Of one writer: at once, and again after EVERY_S at the earliest. What is lost with the process is found by
    followers, which look by themselves now and then."""

    def __init__(self, sessions: PostgresSessions) -> None:
        self._sessions = sessions
        self._told_at = -EVERY_S
        self._later: asyncio.Task[None] | None = None

    @property
    def is_due(self) -> bool:
        """Whether the next insert is to tell by itself."""
        return self._later is None and monotonic() - self._told_at >= EVERY_S

    def written(self, *, told: bool) -> None:
        """An insert was committed, and told of itself or not."""
        if told:
            self._told_at = monotonic()
        elif self._later is None:
            self._later = asyncio.create_task(self._tell_later(self._told_at + EVERY_S - monotonic()))

    async def close(self) -> None:
        """What was not told yet is told."""
        if (later := self._later) is not None:
            await asyncio.wait([later], timeout=1.0)
            later.cancel()

    async def _tell_later(self, wait_s: float) -> None:
        await asyncio.sleep(wait_s)
        self._told_at, self._later = monotonic(), None  # what is written from now on is told later
        with suppress(*DATABASE_ERRORS):
            async with self._sessions.session() as session:
                await session.fetchval(TELL)

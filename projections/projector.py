"""The live projector: one process follows the log, under a lease, and others stand by to take over within seconds."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import monotonic
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from projections import leases
from projections.following import FRONT, Following
from projections.storage import Storage

log = logging.getLogger(__name__)

T = TypeVar("T")

LEASE_S = 6.0  # a leader that is gone is replaced within this and one try
HEARTBEAT_S = 1.5
PACE_S = 0.075  # between two rounds: a small batch costs most per event, so under load some come together
BUSY_EVENTS = 300  # of one round: more come than on any ordinary day, and a round costs as much as a hundred events
BUSY_PACE_S = 0.15
POLL_S = 0.5  # without a wake-up: somebody else's events on SQLite, or a listener that died
RETRY_S = 1.0


def lease_name(shapes: str) -> str:
    """Programs whose tables differ follow generations of their own, so each kind has its leader."""
    return f"projector-{hashlib.sha256(shapes.encode()).hexdigest()[:16]}"


class Projector:
    """Follows the log in the background. Belongs to one event loop; the work is done on a thread of its own."""

    def __init__(self, storage: Storage, following: Following, *, lease: str, owner: str) -> None:
        self._storage = storage
        self._following = following
        self._lease = lease
        self._owner = owner
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="projector")
        self._woken = asyncio.Event()
        self._renew_at_s = 0.0
        self.last_error: str | None = None

    @property
    def position(self) -> int:
        """How far this process has followed the log."""
        return self._following.position

    def wake(self) -> None:
        """There are new events. Only on the event loop."""
        self._woken.set()

    async def run(self) -> None:
        """Follow the log while this process leads, until cancelled; an error is kept for the status and tried again."""
        while True:
            try:
                if monotonic() >= self._renew_at_s and not await self._blocking(self._leads):
                    await asyncio.sleep(HEARTBEAT_S)
                    continue
                began_s = monotonic()
                self._woken.clear()
                moved = await self._blocking(self._following.round)
                self.last_error = None
            except Exception as error:
                if self.last_error != (told := f"{type(error).__name__}: {error}"):
                    log.error("the projector stopped at position %d and tries again: %s", self.position, told)
                self.last_error = told
                await asyncio.sleep(RETRY_S)
                continue
            if moved >= FRONT:
                continue  # there is more
            if not self._woken.is_set() and (not moved or self._following.together):
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), POLL_S)
            pace_s = BUSY_PACE_S if moved >= BUSY_EVENTS else PACE_S
            await asyncio.sleep(began_s + pace_s - monotonic())  # over already, where the round before is long ago

    async def catch_up(self) -> int:
        """Apply one round now, whoever leads; by how many events it moved."""
        return await self._blocking(self._following.round)

    async def close(self) -> None:
        """Let the round under way end, and let others lead at once."""
        if self._renew_at_s:
            with suppress(SQLAlchemyError, RuntimeError):
                await self._blocking(self._step_down)
        await asyncio.to_thread(self._thread.shutdown, wait=True)
        self._following.close()
        self._storage.close()

    async def _blocking(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def _leads(self) -> bool:
        self._renew_at_s = 0.0
        with self._storage.control.execution_options(immediate=True).begin() as connection:
            leads = leases.take(connection, self._lease, self._owner, LEASE_S)
        if leads:
            self._renew_at_s = monotonic() + HEARTBEAT_S
        return leads

    def _step_down(self) -> None:
        with self._storage.control.execution_options(immediate=True).begin() as connection:
            leases.give_back(connection, self._lease, self._owner)

"""Follows the log and signs what it has seen, a fraction of a second behind the orders and never in their way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import monotonic
from typing import TypeVar

from application.audit.seals.checkpoint import Signer
from application.audit.seals.sealed_tree import BATCH, RefusedToSeal, SealedTree
from application.audit.seals.storing import CheckpointFile, LogRows, SealStore, StoreFailed
from application.ports import Clock

log = logging.getLogger(__name__)

T = TypeVar("T")

GATHER_S = 0.4  # let events come together under one seal: an event is sealed well within a second
POLL_S = 0.25  # without a wake-up: events that another process wrote
LEASE_S = 6.0  # a sealer that is gone is replaced within this and one try
HEARTBEAT_S = 1.5
RETRY_S = 1.0
REFUSED_RETRY_S = 10.0  # somebody has to repair something first


class Sealer:
    """Belongs to one event loop; the work is done on a thread of its own. `alarm` is told once of each refusal."""

    def __init__(
        self,
        rows: LogRows,
        store: SealStore,
        open_file: Callable[[], CheckpointFile],
        open_signer: Callable[[], Signer],
        clock: Clock,
        *,
        owner: str,
        alarm: Callable[[str], Awaitable[None]],
    ) -> None:
        self._rows = rows
        self._store = store
        self._open = (open_file, open_signer)  # they need the log's id, which is read from the store
        self._clock = clock
        self._owner = owner
        self._alarm = alarm
        self._tree: SealedTree | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sealer")
        self._woken = asyncio.Event()
        self._renew_at_s = 0.0
        self._told: str | None = None
        self._cleared = False
        self.last_error: str | None = None

    def wake(self) -> None:
        """There are new events. Only on the event loop."""
        self._woken.set()

    async def run(self) -> None:
        """Seal while this process leads, until cancelled. What goes wrong is told, and looked at again."""
        while True:
            try:
                if not await self._blocking(self._leads):
                    await asyncio.sleep(HEARTBEAT_S)
                    continue
                moved = await self._blocking(self.round)
                self.last_error = None
            except RefusedToSeal as refused:
                self.last_error = str(refused)
                await self._tell(str(refused))
                await asyncio.sleep(REFUSED_RETRY_S)
                continue
            except Exception as error:
                if self.last_error != (told := f"{type(error).__name__}: {error}"):
                    log.error("sealing failed and is tried again: %s", told)
                self.last_error = told
                self._tree = None
                await asyncio.sleep(RETRY_S)
                continue
            if moved == BATCH:
                continue  # there is more
            if not moved:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), POLL_S)
            self._woken.clear()
            await asyncio.sleep(GATHER_S)

    async def close(self) -> None:
        """Let the round under way end, and let others seal at once."""
        if self._renew_at_s:
            with suppress(StoreFailed, RuntimeError):
                await self._blocking(lambda: self._store.step_down(self._owner))
        await asyncio.to_thread(self._thread.shutdown, wait=True)

    def round(self) -> int:
        """Seal what is new, at most a batch of it; how many events that was. Blocks.

        Raises RefusedToSeal, StoreFailed and OSError; nothing is lost by any of them.
        """
        open_file, open_signer = self._open
        tree = self._tree = self._tree or SealedTree.load(self._store, open_file(), open_signer())
        rows = tree.rows_after(self._rows)
        if rows and not tree.add(rows, self._clock):
            self._tree = None  # another sealer was first: look again
            return 0
        tree.publish()
        if not self._cleared:
            self._store.note_problem(None)
            self._cleared, self._told = True, None
        return len(rows)

    async def _tell(self, problem: str) -> None:
        self._tree, self._cleared = None, False
        if self._told == problem:
            return
        log.critical("sealing has stopped: %s", problem)
        try:
            await self._blocking(lambda: self._store.note_problem(problem))
            await self._alarm(problem)
            self._told = problem
        except Exception as error:
            log.error("nobody could be told that sealing has stopped: %s", type(error).__name__)

    def _leads(self) -> bool:
        if monotonic() < self._renew_at_s:
            return True
        self._renew_at_s = 0.0
        leads = self._store.lead(self._owner, LEASE_S)
        if leads:
            self._renew_at_s = monotonic() + HEARTBEAT_S
        return leads

    async def _blocking(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

"""Background work on single orders: what is due, who does it, and when to look again.

A work item is a hint to look at an order; the order's own stream says what is to be done. So an item that comes twice,
late or for nothing does no harm, and leases save work but guard nothing: the fence is the version of the stream.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from application.ports import Clock

log = logging.getLogger(__name__)

LEASE_S = 8.0  # a worker that dies gives its items back within this
RENEW_S = 2.0
BATCH = 32


class WorkKind(StrEnum):
    PAYMENT = "payment"  # an attempt whose outcome is open
    CORRECTION = "correction"  # money to be taken back
    EMAIL = "email"  # a confirmation to be sent
    RECONCILE = "reconcile"  # the gateway's transactions against the log; one item for all


@dataclass(frozen=True)
class WorkItem:
    """One order to look at. `tries` counts how often it was looked at without an end; `ticket` changes with news."""

    order_id: UUID
    kind: WorkKind
    tries: int
    ticket: int


@dataclass(frozen=True)
class LookAgain:
    """The work is not done: look again after this time, or only when something new happens (None)."""

    after_s: float | None


Handler = Callable[[WorkItem], Awaitable[LookAgain | None]]  # None: done


class WorkList(Protocol):
    """The items, shared by all processes. Leases run on the database's clock."""

    async def claim(self, owner: str, limit: int, lease_s: float) -> Sequence[WorkItem]:
        """Items that are due and that nobody holds, now leased to the owner; the longest overdue first."""
        ...

    async def renew(self, owner: str, items: Sequence[WorkItem], lease_s: float) -> None:
        """Keep the owner's leases of these items."""
        ...

    async def finish(self, owner: str, item: WorkItem) -> None:
        """The item is done, unless there has been news since it was claimed; give the lease back."""
        ...

    async def postpone(self, owner: str, item: WorkItem, after_s: float | None) -> None:
        """Look again later; count the try; give the lease back. News brings it forward."""
        ...

    async def poke(self, order_id: UUID, kind: WorkKind) -> None:
        """There is news: look at it now."""
        ...


def growing(tries: int, first_s: float, longest_s: float) -> float:
    """The pause after so many tries: doubled each time, up to the longest."""
    return min(first_s * float(2 ** min(tries, 20)), longest_s)


class Worker:
    """Claims due items and hands them to the handlers, side by side; one per process."""

    def __init__(
        self,
        work: WorkList,
        handlers: Mapping[WorkKind, Handler],
        clock: Clock,
        *,
        owner: str,
        interval_s: float,
        poll_s: float = 0.5,
    ) -> None:
        self._work = work
        self._handlers = handlers
        self._clock = clock
        self._owner = owner
        self._interval_s = interval_s
        self._poll_s = min(poll_s, interval_s)
        self._in_hand: set[WorkItem] = set()
        self._under_way: set[asyncio.Task[None]] = set()
        self.last_error: str | None = None

    async def run(self) -> None:
        """Work until cancelled: what is slow holds up nothing else. What fails is logged and looked at again."""
        renewing = asyncio.create_task(self._renew(), name="renew leases")
        try:
            while True:
                if not await self._safely(self._begin_due()):
                    await self._clock.sleep(self._poll_s)
                if len(self._under_way) >= BATCH:
                    await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
        finally:
            tasks = [renewing, *self._under_way]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def run_due(self) -> int:
        """Handle what is due now, all of it before this returns; how many items that were."""
        begun = await self._begin_due()
        await asyncio.gather(*self._under_way)
        return begun

    async def _begin_due(self) -> int:
        """Claim as many due items as there is room for, and begin with each."""
        items = await self._work.claim(self._owner, BATCH - len(self._under_way), LEASE_S)
        for item in items:
            task = asyncio.create_task(self._handle(item), name=f"{item.kind} work")
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return len(items)

    async def _handle(self, item: WorkItem) -> None:
        """Work on one item and give it back. Where that fails, its lease runs out and it is looked at again."""
        self._in_hand.add(item)
        try:
            await self._safely(self._give_back(item, await self._try(item)))
        finally:
            self._in_hand.discard(item)

    async def _try(self, item: WorkItem) -> LookAgain | None:
        try:
            return await self._handlers[item.kind](item)
        except Exception as error:
            # The text of an exception may hold what a client sent; its type and the order say enough to find it.
            log.error("%s of order %s failed: %s", item.kind, item.order_id, type(error).__name__)
            self.last_error = type(error).__name__
            return LookAgain(growing(item.tries, self._interval_s, 60.0))

    async def _give_back(self, item: WorkItem, again: LookAgain | None) -> None:
        if again is None:
            await self._work.finish(self._owner, item)
        else:
            await self._work.postpone(self._owner, item, again.after_s)

    async def _renew(self) -> None:
        """Keep what is in hand, and only that: what could not be given back must become free again."""
        while True:
            await self._clock.sleep(RENEW_S)
            if self._in_hand:
                await self._safely(self._work.renew(self._owner, list(self._in_hand), LEASE_S))

    async def _safely(self, step: Awaitable[int | None]) -> int | None:
        try:
            return await step
        except Exception as error:
            log.error("background work cannot reach its list: %s", type(error).__name__)
            self.last_error = type(error).__name__
            await self._clock.sleep(self._interval_s)
            return None

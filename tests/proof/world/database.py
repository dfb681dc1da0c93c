"""The database as one process sees it: a real recorder underneath, with delays, faults and crossings around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from eventsourcing.persistence import Notification, StoredEvent

from application.event_log import CommitUnknown, Conflict, StoreUnavailable
from tests.proof.world.faults import InsertFault

if TYPE_CHECKING:
    from tests.proof.world.process import Process

SLOW_S = 7.0  # longer than a charge may wait for the commit of its intent
LATE_S = 2.0  # a COMMIT that nobody heard of may still be carried out this much later


class ProcessRecorder:
    """The `Recorder` of one process."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._world = process.world
        self._inner = process.world.recorder
        self._loop = process.world.loop

    async def insert(self, events: Sequence[StoredEvent]) -> int:
        label = _label(events)
        await self._process.crossing(label, "before")
        fault = self._world.plan.insert(label)
        await self._turn()
        if fault is not None:
            self._world.note("insert", fault)
            self._process.tell("commit", label, fault)
        if fault is InsertFault.SLOW:
            await self._loop.sleep(SLOW_S)
        if fault is InsertFault.DOWN:
            raise StoreUnavailable("down")
        if fault is InsertFault.UNKNOWN_LATE:
            self._world.later(LATE_S, self._world.start_task, _write_late(self._world, events))
        if fault in (InsertFault.UNKNOWN_LATE, InsertFault.UNKNOWN_LOST):
            raise CommitUnknown("the answer was lost")
        try:
            position = await self._world.write(events)
        except Conflict:
            self._world.note("insert", "conflict")
            self._process.tell("commit", label, "lost the race")
            raise
        self._process.tell("commit", ", ".join(event.topic for event in events), f"at {position - self._world.base}")
        await self._process.crossing(label, "after")
        if fault is InsertFault.UNKNOWN_WRITTEN:
            raise CommitUnknown("the answer was lost")
        return position

    async def select(self, stream_ids: Sequence[UUID], *, up_to: int | None = None) -> list[Notification]:
        await self._turn()
        return await self._inner.select(stream_ids, up_to=up_to)

    async def notifications(self, start: int, limit: int, topics: Sequence[str] = ()) -> list[Notification]:
        await self._turn()
        return await self._inner.notifications(start, limit, topics)

    async def max_position(self) -> int:
        await self._turn()
        return await self._inner.max_position()

    async def close(self) -> None:
        raise AssertionError("processes here die without closing anything")

    async def _turn(self) -> None:
        await self._loop.sleep(self._world.plan.database_s())
        if self._world.plan.database_down():
            self._world.note("database", "down")
            raise StoreUnavailable("down")


async def _write_late(world: World, events: Sequence[StoredEvent]) -> None:
    try:
        await world.write(events)
        world.tell("database", "commits late", _label(events))
    except Conflict:
        world.tell("database", "drops a late commit", _label(events))


def _label(events: Sequence[StoredEvent]) -> str:
    """A commit is called after what it says first about an order: payment-charged, email-sent, ..."""
    names = [event.topic.rsplit(".", 1)[0] for event in events]
    return next((name.removeprefix("order.") for name in names if name.startswith("order.")), names[0])


if TYPE_CHECKING:
    from tests.proof.world.world import World

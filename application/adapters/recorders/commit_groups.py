"""Group commit: the inserts that wait at the same time share one transaction, and each learns its own outcome.

A commit costs a flush to disk however much it holds, so that under load the groups grow and the flushes do not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from eventsourcing.persistence import Notification, StoredEvent

from application.event_log import CommitUnknown, Conflict, StoreUnavailable

GROUP_SIZE = 60  # inserts per transaction; PostgreSQL keeps up to 64 subtransactions in shared memory
QUEUE_SIZE = 2_000  # inserts that wait; more are refused at once
EVENTS_LIMIT = 1_000  # events per insert

Outcome = int | Conflict | StoreUnavailable | CommitUnknown
"""How one insert ended: the position of its last event, or the exception to raise."""


class Insert(NamedTuple):
    """One waiting insert. Its waiter may have gone away, which cancels the future and nothing else."""

    events: Sequence[StoredEvent]
    future: asyncio.Future[int]

    @classmethod
    def of(cls, events: Sequence[StoredEvent]) -> Insert:
        assert 0 < len(events) <= EVENTS_LIMIT, "an insert has between 1 and 1,000 events"
        return cls(events, asyncio.get_running_loop().create_future())


def settle(results: Iterable[tuple[Insert, Outcome]]) -> None:
    """Tell the waiters. Only on their own event loop."""
    for (_, future), outcome in results:
        if future.done():
            continue
        if isinstance(outcome, int):
            future.set_result(outcome)
        else:
            future.set_exception(outcome)


def resolved(insert: Insert, found: Iterable[Notification]) -> Outcome:
    """How an insert with an unknown COMMIT ended, from what its streams hold once it can no longer be running.

    Our events are known by stream, version, topic and bytes.
    """
    there = {(event.originator_id, event.originator_version): event for event in found}
    written = [there.get((event.originator_id, event.originator_version)) for event in insert.events]
    if not any(written):
        return StoreUnavailable("the commit failed")
    for event, other in zip(insert.events, written, strict=True):
        if other is None or (event.topic, event.state) != (other.topic, other.state):
            return Conflict()
    last = written[-1]
    assert last is not None
    return last.id

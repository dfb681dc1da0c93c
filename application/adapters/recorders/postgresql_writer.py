"""Writes to PostgreSQL: one function call in one round trip, for all the inserts that wait in this process."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from math import inf
from time import monotonic
from typing import Any

from eventsourcing.persistence import Notification, StoredEvent

from application.adapters.recorders.commit_groups import GROUP_SIZE, QUEUE_SIZE, Insert, Outcome, resolved, settle
from application.adapters.recorders.postgresql_sessions import DATABASE_ERRORS, PostgresSessions, rolled_back
from application.adapters.recorders.postgresql_telling import Telling
from application.event_log import CommitUnknown, Conflict, StoreUnavailable

DISTANT_S = 0.001  # of a commit with its round trip: what takes longer is worth a second one beside it
CLOSE_S = 10.0
RESOLVE_S = 2.0  # for each try to find out how a commit ended
RESOLVE_PAUSES_S = (0.0, 0.1, 0.2, 0.4, 0.8, 1.6)  # before each try

COLUMNS = "notification_id, originator_id, originator_version, topic, state"
EVERYTHING = 2**63 - 1  # the last position there can be

INSERT = "SELECT append_stored_events($1, $2, $3, $4, $5, $6)"
SELECT = (
    f"SELECT {COLUMNS} FROM stored_events WHERE originator_id = ANY($1::uuid[])"  # noqa: S608
    " AND notification_id <= $2 ORDER BY originator_id, originator_version"
)
END_BACKEND = """
SELECT coalesce(bool_and(pg_terminate_backend(pid, 1000)), true) FROM pg_stat_activity
WHERE pid = $1 AND pid <> pg_backend_pid() AND datname = current_database()
"""


def notification(row: Any) -> Notification:
    """A row of COLUMNS."""
    position, stream_id, version, topic, state = row
    return Notification(stream_id, version, topic, state, id=position)


class PostgresWriter:
    """One transaction at a time, since they would queue for the lock anyway; what waits meanwhile goes together.

    Where the server is far away two are under way, so that the lock is taken while an answer travels.
    """

    def __init__(self, sessions: PostgresSessions) -> None:
        self._sessions = sessions
        self._telling = Telling(sessions)
        self._waiting: deque[Insert] = deque()
        self._under_way: list[asyncio.Task[None]] = []
        self._shortest_s = inf  # of a commit with its round trip
        self._closed = False
        self.commits = 0

    def submit(self, events: Sequence[StoredEvent]) -> asyncio.Future[int]:
        """Queue an insert; the future is resolved after its own commit. Raises StoreUnavailable."""
        insert = Insert.of(events)
        if self._closed:
            raise StoreUnavailable("closed")
        if len(self._waiting) >= QUEUE_SIZE:
            raise StoreUnavailable("too many inserts wait")
        self._waiting.append(insert)
        self._under_way = [task for task in self._under_way if not task.done()]
        if len(self._under_way) < (2 if DISTANT_S < self._shortest_s < inf else 1):
            self._under_way.append(asyncio.create_task(self._write_all()))
        return insert.future

    async def close(self) -> None:
        """Write what waits, as far as there is time."""
        self._closed = True
        if self._under_way:
            _, late = await asyncio.wait(self._under_way, timeout=CLOSE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._telling.close()

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                inserts = [self._waiting.popleft() for _ in range(min(len(self._waiting), GROUP_SIZE))]
                outcomes: list[Outcome] = [CommitUnknown("the writer ended") for _ in inserts]
                try:
                    outcomes = await self._write(inserts)
                finally:
                    settle(zip(inserts, outcomes, strict=True))
        finally:
            settle((insert, StoreUnavailable("the writer ended")) for insert in self._waiting)
            self._waiting.clear()

    async def _write(self, inserts: Sequence[Insert]) -> list[Outcome]:
        backend: int | None = None
        try:
            async with self._sessions.session(first=True) as session:
                backend = session.get_server_pid()
                tell, begun_s = self._telling.is_due, monotonic()
                positions = await session.fetchval(INSERT, *_arrays(inserts), tell)
        except DATABASE_ERRORS as error:
            reason = type(error).__name__
            if backend is None or rolled_back(error):
                return [StoreUnavailable(reason) for _ in inserts]
            self._telling.written(told=False)  # it may have been, and nobody may have been told
            return await self._resolve(inserts, backend, reason)
        self._shortest_s = min(self._shortest_s, monotonic() - begun_s)
        self.commits += 1
        self._telling.written(told=tell)
        return [Conflict() if position is None else position for position in positions]

    async def _resolve(self, inserts: Sequence[Insert], backend: int, reason: str) -> list[Outcome]:
        """Find out how a transaction ended whose answer was lost: end its session, then read its streams.

        Waiting for the writers' lock would not do: our call may still be on its way to a server process that has yet
        to take it. Only when that process is gone can nothing come any more.
        """
        streams = list({event.originator_id for insert in inserts for event in insert.events})
        for pause_s in RESOLVE_PAUSES_S:
            await asyncio.sleep(pause_s)
            with suppress(*DATABASE_ERRORS):
                async with asyncio.timeout(RESOLVE_S), self._sessions.session(first=True) as session:
                    if await session.fetchval(END_BACKEND, backend):
                        found = [notification(row) for row in await session.fetch(SELECT, streams, EVERYTHING)]
                        return [resolved(insert, found) for insert in inserts]
        return [CommitUnknown(reason) for _ in inserts]


def _arrays(inserts: Sequence[Insert]) -> tuple[list[Any], ...]:
    """The arguments of append_stored_events: the number of events of each insert, then the events' columns."""
    events = [event for insert in inserts for event in insert.events]
    return (
        [len(insert.events) for insert in inserts],
        [event.originator_id for event in events],
        [event.originator_version for event in events],
        [event.topic for event in events],
        [event.state for event in events],
    )

"""Writes to PostgreSQL: one function call in one round trip, for all the inserts that wait in this process."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from eventsourcing.persistence import Notification, StoredEvent

from application.adapters.recorders.commit_groups import GROUP_SIZE, QUEUE_SIZE, Insert, Outcome, resolved, settle
from application.adapters.recorders.postgresql_sessions import DATABASE_ERRORS, PostgresSessions, is_open, rolled_back
from application.adapters.recorders.postgresql_telling import Telling
from application.event_log import CommitUnknown, Conflict, StoreUnavailable

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
    """One transaction at a time, since they would queue for the lock anyway; what waits meanwhile goes together."""

    def __init__(self, sessions: PostgresSessions) -> None:
        self._sessions = sessions
        self._telling = Telling(sessions)
        self._waiting: deque[Insert] = deque()
        self._task: asyncio.Task[None] | None = None
        self._session: Any = None
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
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write_all())
        return insert.future

    async def close(self) -> None:
        """Write what waits, as far as there is time."""
        self._closed = True
        if self._task is not None and not self._task.done():
            await asyncio.wait([self._task], timeout=CLOSE_S)
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._telling.close()
        await self._drop_session()

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
        try:
            session = await self._own_session()
            backend: int = session.get_server_pid()
        except DATABASE_ERRORS as error:
            return [StoreUnavailable(type(error).__name__) for _ in inserts]
        try:
            tell = self._telling.is_due
            positions = await session.fetchval(INSERT, *_arrays(inserts), tell)
        except BaseException as error:
            if not rolled_back(error):
                await self._drop_session()
            if not isinstance(error, DATABASE_ERRORS):
                raise
            reason = type(error).__name__
            if rolled_back(error):
                return [StoreUnavailable(reason) for _ in inserts]
            self._telling.written(told=False)  # it may have been, and nobody may have been told
            return await self._resolve(inserts, backend, reason)
        self.commits += 1
        self._telling.written(told=tell)
        return [Conflict() if position is None else position for position in positions]

    async def _own_session(self) -> Any:
        """The session that this writer keeps: taking one from the pool for every commit costs more than its bytes."""
        if self._session is not None and not is_open(self._session):
            await self._drop_session()
        if self._session is None:
            self._session = await self._sessions.take()
        return self._session

    async def _drop_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await self._sessions.drop(session)

    async def _resolve(self, inserts: Sequence[Insert], backend: int, reason: str) -> list[Outcome]:
        """Find out how a transaction ended whose answer was lost: end its session, then read its streams.

        Waiting for the writers' lock would not do: our call may still be on its way to a server process that has yet
        to take it. Only when that process is gone can nothing come any more.
        """
        streams = list({event.originator_id for insert in inserts for event in insert.events})
        for pause_s in RESOLVE_PAUSES_S:
            await asyncio.sleep(pause_s)
            with suppress(*DATABASE_ERRORS):
                async with asyncio.timeout(RESOLVE_S), self._sessions.session() as session:
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

"""Reads the event log for projections: large batches of stored events, decoded only where somebody wants them.

Positions become visible in order (the recorders promise it), so a reader may go on from the last one it has seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from domain.stream import UNREADABLE, Stream
from projections.model import Recorded, Undecodable
from projections.sessions import Session, sql_of

IDS = 5_000  # that are remembered

_new = tuple.__new__  # of a named tuple, in half the time that calling it takes
_COLUMNS = "SELECT notification_id, originator_id, originator_version, topic, state FROM stored_events"


class TopicNotKnown(Exception):
    """The log holds an event that this program has no class for; a later version of it wrote that."""

    def __init__(self, topic: str, position: int = 0) -> None:
        super().__init__(f"unknown topic {topic!r} at position {position}")
        self.topic = topic
        self.position = position


Read = Callable[[UUID, int, bytes], Stream.Event]
"""Makes an event of its stream, its version and its stored state. Raises one of UNREADABLE where the state is not
what the topic promises."""


@dataclass(frozen=True)
class Batch:
    """What the log holds after position `after` up to position `end`; `events` are those that are wanted."""

    after: int
    end: int
    events: Sequence[Recorded]
    topics: frozenset[str]  # all that were met

    def concerns(self, topics: frozenset[str]) -> bool:
        """Whether there is anything for who listens to these topics."""
        return not self.topics.isdisjoint(topics)

    def following(self, position: int) -> Sequence[Recorded]:
        """The events after a position of the batch."""
        if position <= self.after:
            return self.events
        return [recorded for recorded in self.events if recorded.position > position]


class LogReader:
    """The log of one database. `known`: how the topics are read that this program can read; `wanted`: those that it
    listens to."""

    def __init__(self, engine: sa.Engine, known: Mapping[str, Read], wanted: Iterable[str]) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._known = known
        self._unwanted = frozenset(known).difference(wanted)
        self._mark = "%s" if engine.dialect.name == "postgresql" else "?"
        self._text_ids = engine.dialect.name != "postgresql"
        self._ids: dict[str, UUID] = {}  # of the streams that were met last
        self._session: Session | None = None

    def wanting(self, topics: Iterable[str]) -> LogReader:
        """The same log, for these topics only. What is not known is still met, and refused."""
        return LogReader(self._engine, self._known, topics)

    def kept_open(self) -> LogReader:
        """The same log over a connection of its own, for one thread. To be closed."""
        reader = copy(self)
        reader._session, reader._ids = Session(self._engine), {}
        return reader

    def close(self) -> None:
        if self._session is not None:
            self._session.close()

    def head(self) -> int:
        """The last position; 0 when the log is empty."""
        return int(self._rows("SELECT coalesce(max(notification_id), 0) FROM stored_events", ())[0][0])

    def after(self, position: int, limit: int) -> Batch:
        """The next events, at most `limit`. A batch ends before a topic that is not known; raises TopicNotKnown where
        it would begin with one."""
        query = f"{_COLUMNS} WHERE notification_id > {self._mark} ORDER BY notification_id LIMIT {self._mark}"
        rows = self._rows(query, (position, limit))
        return self.decoded(position, rows[-1][0] if rows else position, rows)

    def range(self, after: int, end: int) -> Batch:
        """The events in a range of positions. Raises TopicNotKnown."""
        return self.decoded(after, end, self.stored(after, end))

    def stored(self, after: int, end: int) -> Sequence[Any]:
        """The rows of a range, not decoded yet, which leaves other threads alone; unwanted topics are not even read."""
        marks = ", ".join([self._mark] * len(self._unwanted))
        query = (
            f"{_COLUMNS} WHERE notification_id > {self._mark} AND notification_id <= {self._mark}"
            f"{f' AND topic NOT IN ({marks})' if marks else ''} ORDER BY notification_id"
        )
        return self._rows(query, (after, end, *self._unwanted))

    def of_stream(self, stream_id: UUID, positions: Iterable[int]) -> list[Recorded]:
        """The events of a stream that stand at the positions, in order."""
        query = f"{_COLUMNS} WHERE originator_id = {self._mark} ORDER BY originator_version"
        wanted = set(positions)
        rows = self._rows(query, (str(stream_id) if self._text_ids else stream_id,))
        found = [row for row in rows if row[0] in wanted]
        if unknown := next((row for row in found if row[3] not in self._known), None):
            raise TopicNotKnown(unknown[3], unknown[0])
        return self._recorded(found)

    def recorded_at(self, after: int) -> datetime | None:
        """When the first event after a position was recorded; None where there is none, or it cannot be read."""
        rows = self._rows(f"{_COLUMNS} WHERE notification_id > {self._mark} ORDER BY notification_id LIMIT 1", (after,))
        events = self._recorded([row for row in rows if row[3] in self._known])
        return next((event.timestamp for _, event in events if not isinstance(event, Undecodable)), None)

    def decoded(self, after: int, end: int, rows: Sequence[Any]) -> Batch:
        """The batch that the rows are."""
        topics = frozenset([row[3] for row in rows])
        if not topics <= self._known.keys():
            place = next(place for place, row in enumerate(rows) if row[3] not in self._known)
            position, unknown = rows[place][0], rows[place][3]
            if position - 1 == after:
                raise TopicNotKnown(unknown, position)
            rows, end, topics = rows[:place], position - 1, topics - {unknown}
        return Batch(after, end, self._recorded([row for row in rows if row[3] not in self._unwanted]), topics)

    def _recorded(self, rows: Iterable[Any]) -> list[Recorded]:
        """The events of rows with known topics."""
        events: list[Recorded] = []
        known, ids, text_ids = self._known, self._ids, self._text_ids
        for position, stream_id, version, topic, state in rows:
            if text_ids:
                stream_id = ids.get(stream_id) or self._id_of(stream_id)
            try:
                event: Any = known[topic](stream_id, version, state)
            except UNREADABLE as error:
                event = Undecodable(stream_id, version, topic, type(error.__cause__ or error).__name__)
            events.append(_new(Recorded, (position, event)))
        return events

    def _id_of(self, text: str) -> UUID:
        """The same object for the same stream: dictionaries find it without comparing what is in it."""
        if len(self._ids) >= IDS:
            self._ids.clear()
        stream_id = self._ids[text] = msgspec.convert(text, UUID)  # in a fifth of the time that UUID(text) takes
        return stream_id

    def _rows(self, query: str, values: Sequence[Any]) -> Sequence[Any]:
        if self._session is not None:
            return self._session.rows(query, tuple(values))
        with self._engine.connect() as connection, sql_of(connection) as sql:
            return sql.rows(query, tuple(values))

"""The append-only log: loads aggregates from their events and saves new events, many streams in one transaction.

`Recorder` is the port to the database; `adapters/recorders` holds those for SQLite, PostgreSQL and memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar, overload
from uuid import UUID

from eventsourcing.persistence import Notification, StoredEvent

from application.event_codec import EventCodec
from domain.stream import Stream

MAX_RACES = 20  # how often one decision is taken again after a lost race

A = TypeVar("A", bound=Stream)
B = TypeVar("B", bound=Stream)
C = TypeVar("C", bound=Stream)
D = TypeVar("D", bound=Stream)


class Conflict(Exception):
    """Somebody else wrote that version of the stream first; nothing of this insert was written. Load, decide again."""


class StoreUnavailable(Exception):
    """The database cannot serve us now; it is certain that nothing was written. The reason names no data."""


class CommitUnknown(Exception):
    """The insert may or may not have been written, and the database could not be asked which within the time."""


class Recorder(Protocol):
    """Stored events in one sequence of positions and one sequence of versions per stream.

    All reads raise StoreUnavailable. A reader that has seen position n has seen, or could have seen, every position
    below it: none appears later.
    """

    async def insert(self, events: Sequence[StoredEvent]) -> int:
        """Write all of the events or none, in one transaction; the position of the last one.

        An unknown COMMIT is resolved inside, by reading what was written and never by writing again.
        Whoever cancels the wait does not cancel the insert. Raises Conflict, StoreUnavailable, CommitUnknown.
        """
        ...

    async def select(self, stream_ids: Sequence[UUID], *, up_to: int | None = None) -> list[Notification]:
        """All events of the streams, in one round trip, by version within each stream; at most up to a position."""
        ...

    async def notifications(self, start: int, limit: int, topics: Sequence[str] = ()) -> list[Notification]:
        """The next events from position `start` (inclusive) on, by position, at most `limit`, of these topics only."""
        ...

    async def max_position(self) -> int:
        """The last position that is visible; 0 when the log is empty."""
        ...

    async def close(self) -> None:
        """Finish what is being written and let go of the database. Later calls raise StoreUnavailable."""
        ...


class EventLog:
    """Aggregates in, aggregates out."""

    def __init__(self, recorder: Recorder, codec: EventCodec) -> None:
        self.recorder = recorder
        self.codec = codec

    @overload
    async def load(self, a: tuple[type[A], UUID], /) -> tuple[A]: ...

    @overload
    async def load(self, a: tuple[type[A], UUID], b: tuple[type[B], UUID], /) -> tuple[A, B]: ...

    @overload
    async def load(
        self, a: tuple[type[A], UUID], b: tuple[type[B], UUID], c: tuple[type[C], UUID], /
    ) -> tuple[A, B, C]: ...

    @overload
    async def load(
        self, a: tuple[type[A], UUID], b: tuple[type[B], UUID], c: tuple[type[C], UUID], d: tuple[type[D], UUID], /
    ) -> tuple[A, B, C, D]: ...

    @overload
    async def load(self, *wanted: tuple[type[A], UUID], up_to: int | None = None) -> tuple[A, ...]: ...

    async def load(self, *wanted: tuple[type[Any], UUID], up_to: int | None = None) -> tuple[Any, ...]:
        """The aggregates, read in one round trip, as they are now or were at a position; unseen ones are empty.

        Raises StoreUnavailable, and UnknownTopic or CorruptEvent where the log holds what this program cannot read.
        """
        streams: dict[UUID | str, Any] = {stream_id: aggregate.empty(stream_id) for aggregate, stream_id in wanted}
        assert len(streams) == len(wanted), "a stream is loaded once"
        for stored in await self.recorder.select([stream_id for _, stream_id in wanted], up_to=up_to):
            self.codec.decode(stored).mutate(streams[stored.originator_id])
        return tuple(streams.values())

    async def save(self, *aggregates: Stream) -> int:
        """Write all pending events of the aggregates in one transaction; the position of the last one, 0 if none.

        The pending events are gone afterwards, also when this fails: load again and decide again.
        Raises Conflict, StoreUnavailable, CommitUnknown.
        """
        events = [self.codec.encode(event) for aggregate in aggregates for event in aggregate.collect_events()]
        return await self.recorder.insert(events) if events else 0

    async def change(
        self, aggregate: type[A], stream_id: UUID, decide: Callable[[A], None], *, races: int = MAX_RACES
    ) -> A:
        """Load one stream, let `decide` record on it, and save; a lost race is decided again on fresh state.

        Raises what `decide` raises, StoreUnavailable also after so many lost races, and CommitUnknown.
        """
        for _ in range(races):
            (stream,) = await self.load((aggregate, stream_id))
            decide(stream)
            try:
                await self.save(stream)
            except Conflict:
                continue
            return stream
        raise StoreUnavailable("too many lost races")

    async def history(self, stream_id: UUID) -> list[tuple[int, Stream.Event]]:
        """The events of one stream with their positions."""
        stored = await self.recorder.select([stream_id])
        return [(notification.id, self.codec.decode(notification)) for notification in stored]

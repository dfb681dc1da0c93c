"""What all our aggregates share: a stream of events that starts empty, and what every event says of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, ClassVar, Self, TypeVar
from uuid import UUID

from eventsourcing.domain import Aggregate, CanMutateAggregate, OriginatorIDError, OriginatorVersionError

E = TypeVar("E")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Upcast = Callable[[dict[str, Any]], dict[str, Any]]
"""From the stored state of one version of an event, as JSON has it, to that of the next."""


UNREADABLE = (ValueError, RecursionError)
"""What reading a stored state raises where it is not what it should be, text that is no UTF-8 included."""


@dataclass(frozen=True)
class Metadata:
    """Who caused an event, when and by what; passed to every decision."""

    recorded_at: datetime  # aware UTC, by the clock of the process that decides
    actor: str  # "user:11", "application:planoorder", "system:recovery"; never a token
    correlation_id: str  # the request that all of this belongs to
    causation_id: str  # what led to it directly: a request, a command, an earlier event

    def __post_init__(self) -> None:
        at = self.recorded_at
        assert at.tzinfo is UTC or at.utcoffset() == timedelta(0), "recorded_at must be aware UTC"


class Stream(Aggregate):
    """Every aggregate of ours. It starts empty at version 0, so its first event is an event like any other.

    A subclass nests its events, each with an explicit stored name, as
    `class PaymentCharged(Stream.Event): TOPIC = "order.payment-charged.v1"`, and sets up its empty state in an
    `__init__` without parameters. eventsourcing's "created" events are not used.
    """

    class Event(Aggregate.Event):
        """A past-tense fact. `timestamp` is the recorded time; all fields are stored.

        A shape that cannot grow out of the one before is a new version: the class takes the new topic, and keeps the
        earlier ones in `SUPERSEDES`, oldest first, each with the step from its stored state to that of the next one.
        Steps are pure functions and are never changed: logs hold such events for good.
        """

        SUPERSEDES: ClassVar[Mapping[str, Upcast]] = {}

        actor: str
        correlation_id: str
        causation_id: str

        def mutate(self, aggregate: Any) -> Any:
            """The library's, on the attributes behind its properties. Raises where it is not the next of the stream."""
            if self.originator_id is not aggregate._id and self.originator_id != aggregate._id:
                raise OriginatorIDError(self.originator_id, aggregate._id)
            if self.originator_version != aggregate._version + 1:
                raise OriginatorVersionError(self.originator_version, aggregate._version + 1)
            self.apply(aggregate)
            aggregate._version = self.originator_version
            aggregate._modified_on = self.timestamp
            return aggregate

    def __init_subclass__(cls) -> None:
        # The library would otherwise take the name Created, which an event of ours may well need.
        super().__init_subclass__(created_event_name="CreatedByLibrary")

    @classmethod
    def empty(cls, id: UUID) -> Self:
        """The stream `id` before its first event."""
        stream = cls.__new__(cls)
        stream.__base_init__(id, 0, EPOCH)
        stream.__init__()  # type: ignore[misc]  # eventsourcing's metaclass reserves the call for "created" events
        return stream

    def record(self, metadata: Metadata, event_class: type[Stream.Event], **fields: Any) -> None:
        """Make the next event of this stream, apply it and keep it for saving.

        Raises TypeError where a field is missing or unknown.
        """
        values = {
            "originator_id": self._id,
            "originator_version": self._version + 1,
            "timestamp": metadata.recorded_at,
            "actor": metadata.actor,
            "correlation_id": metadata.correlation_id,
            "causation_id": metadata.causation_id,
            **fields,
        }
        # No event has a __post_init__ but the library's, which only checks that the originator's id is one.
        complete = values.keys() == _field_names(event_class)
        event = taken_over(event_class, values) if complete else event_class(**values)
        event.mutate(self)
        self._pending_events.append(event)

    def collect_events(self) -> Sequence[CanMutateAggregate[UUID]]:
        """The events to save; they are pending no longer."""
        collected, self._pending_events = self._pending_events, []
        return collected


@cache
def _field_names(event_class: type[Stream.Event]) -> frozenset[str]:
    return frozenset(field.name for field in dataclass_fields(event_class))


def taken_over(event_class: type[E], values: dict[str, Any]) -> E:
    """An event with these values, known to be those of all its fields, as its class would make it.

    The __init__ of a frozen dataclass goes through object.__setattr__ for each field, which takes longest of all that
    recording does; so they are taken over at once. The event owns `values` from then on.
    """
    event = object.__new__(event_class)
    object.__setattr__(event, "__dict__", values)
    return event


def topics_of(event_classes: Iterable[type[Stream.Event]]) -> frozenset[str]:
    """The names that the events are stored under, and those that they were stored under before."""
    classes: list[Any] = list(event_classes)
    return frozenset(topic for event_class in classes for topic in (event_class.TOPIC, *event_class.SUPERSEDES))

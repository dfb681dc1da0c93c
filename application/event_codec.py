"""How an event is written to disk and read back: a stable, typed format that does not know where a class lives.

The state is compact JSON of all fields in the order of their declaration, those of the base class first; stream and
version are columns of their own. Times are RFC 3339 in UTC ("Z", microseconds where there are any), ids are text,
tuples are arrays, nested values are objects, bytes are base64. The topic names class and version of the event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime
from functools import partial
from operator import itemgetter
from typing import Annotated, Any, get_args, get_type_hints
from uuid import UUID

import msgspec
from eventsourcing.domain import Aggregate, CanMutateAggregate
from eventsourcing.persistence import StoredEvent

from domain.stream import UNREADABLE, Stream, Upcast, taken_over

COLUMNS = ("originator_id", "originator_version")

_Aware = Annotated[datetime, msgspec.Meta(tz=True)]
_encode = msgspec.json.Encoder().encode
_as_dict = msgspec.structs.asdict
_HINTS: dict[Any, Any] = {datetime: _Aware, datetime | None: _Aware | None}  # a time without zone is refused


class UnknownTopic(LookupError):
    """The stored event has a topic that this program has no class for."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"no event class has the topic {topic!r}")
        self.topic = topic


class CorruptEvent(ValueError):
    """The stored state is not what the topic promises: broken JSON, a field missing or too many, a wrong type."""

    def __init__(self, stored: StoredEvent, reason: str) -> None:
        super().__init__(f"{stored.topic} {stored.originator_id}/{stored.originator_version}: {reason}")
        self.stored = stored


class NotUpcast(msgspec.MsgspecError):
    """A step between two versions of an event cannot take its state; what went wrong is the cause."""


Read = Callable[[UUID | str, int, bytes], Stream.Event]
"""Makes an event of its stream, its version and its stored state. Raises one of UNREADABLE."""


def event_classes_of(*aggregates: type[Aggregate]) -> list[type[Stream.Event]]:
    """The events nested in these aggregates, as far as they have a topic."""
    return [
        value
        for aggregate in aggregates
        for value in vars(aggregate).values()
        if isinstance(value, type) and issubclass(value, Stream.Event) and hasattr(value, "TOPIC")
    ]


class EventCodec:
    """Encodes and decodes the events of the given classes, and decodes what they supersede.

    Raises ValueError where two classes claim one topic.
    """

    def __init__(self, event_classes: Iterable[type[Stream.Event]]) -> None:
        self._by_class: dict[type, _Format] = {}
        self.readers: dict[str, Read] = {}  # by topic: for whoever reads many
        for event_class in event_classes:
            form = self._by_class[event_class] = _Format(event_class)
            steps = tuple(event_class.SUPERSEDES.values())
            reads: list[Read] = [form.event, *(partial(form.upcast, steps[place:]) for place in range(len(steps)))]
            for topic, read in zip((form.topic, *event_class.SUPERSEDES), reads, strict=True):
                if topic in self.readers:
                    raise ValueError(f"two claims on the topic {topic!r}")
                self.readers[topic] = read

    @property
    def topics(self) -> tuple[str, ...]:
        """All that can be read."""
        return tuple(self.readers)

    def encode(self, event: CanMutateAggregate[UUID]) -> StoredEvent:
        """The event as it is stored. Raises UnknownTopic, and TypeError where the state could not be read back."""
        form = self._by_class.get(type(event))
        if form is None:
            raise UnknownTopic(getattr(type(event), "TOPIC", type(event).__qualname__))
        values = {
            "originator_id": event.originator_id,
            "originator_version": event.originator_version,
            "topic": form.topic,
            "state": form.encode(vars(event)),
        }
        return taken_over(StoredEvent, values)

    def decode(self, stored: StoredEvent) -> Stream.Event:
        """The event that was stored. Fields that came later have their default. Raises UnknownTopic, CorruptEvent."""
        read = self.readers.get(stored.topic)
        if read is None:
            raise UnknownTopic(stored.topic)
        try:
            return read(stored.originator_id, stored.originator_version, stored.state)
        except NotUpcast as error:
            raise CorruptEvent(stored, str(error)) from error.__cause__
        except UNREADABLE as error:
            raise CorruptEvent(stored, str(error)) from error


class _Format:
    """The encoding of one event class.

    A msgspec struct of the stored fields does the work: it refuses unknown fields, which plain dataclasses cannot.
    The event is then made without its __init__, since the struct has checked everything already.
    """

    def __init__(self, event_class: type[Stream.Event]) -> None:
        self.event_class = event_class
        self.topic: str = event_class.TOPIC  # type: ignore[attr-defined]
        hints = get_type_hints(event_class)
        assert {field.name for field in fields(event_class)} >= set(COLUMNS)  # with those stored, all
        stored = [field for field in fields(event_class) if field.name not in COLUMNS]
        self._struct = msgspec.defstruct(
            event_class.__name__,
            [_struct_field(field, hints[field.name]) for field in stored],
            forbid_unknown_fields=True,
        )
        self._values = itemgetter(*(field.name for field in stored))
        self._decode = msgspec.json.Decoder(self._struct).decode
        nests = any(_nests(hints[field.name]) for field in stored)
        self._state: Callable[[bytes], msgspec.Struct] = self._whole if nests else self._decode

    def encode(self, values: dict[str, Any]) -> bytes:
        state = _encode(self._struct(*self._values(values)))
        try:
            self._decode(state)
        except msgspec.ValidationError as error:
            raise TypeError(f"{self.topic} cannot be stored: {error}") from error
        return state

    def event(self, stream_id: UUID | str, version: int, stored: bytes) -> Stream.Event:
        """The event with this stored state."""
        return self._event(stream_id, version, self._state(stored))

    def _event(self, stream_id: UUID | str, version: int, state: msgspec.Struct) -> Stream.Event:
        values = _as_dict(state)
        values["originator_id"], values["originator_version"] = stream_id, version
        return taken_over(self.event_class, values)

    def upcast(self, steps: Sequence[Upcast], stream_id: UUID | str, version: int, stored: bytes) -> Stream.Event:
        """The event that a state of an earlier topic has become by these steps."""
        state = msgspec.json.decode(stored, type=dict[str, Any])
        try:
            for step in steps:
                state = step(state)
        except Exception as error:  # a step takes the state to be what its topic promised
            raise NotUpcast(f"cannot be upcast: {type(error).__name__}") from error
        restored: msgspec.Struct = msgspec.convert(state, self._struct)
        _refuse_dropped(state, msgspec.json.decode(_encode(restored)))
        return self._event(stream_id, version, restored)

    def _whole(self, stored: bytes) -> msgspec.Struct:
        """The struct refuses unknown fields, but values nested in it would drop them silently."""
        state: msgspec.Struct = self._decode(stored)
        if (again := _encode(state)) != stored:
            _refuse_dropped(msgspec.json.decode(stored), msgspec.json.decode(again))
        return state


def _struct_field(field: Field[Any], hint: Any) -> tuple[str, Any] | tuple[str, Any, Any]:
    hint = _HINTS.get(hint, hint)
    if field.default is not MISSING:
        return field.name, hint, field.default
    if field.default_factory is not MISSING:
        return field.name, hint, msgspec.field(default_factory=field.default_factory)
    return field.name, hint


def _nests(hint: Any) -> bool:
    """Whether values of the type may have fields of their own."""
    return is_dataclass(hint) or any(map(_nests, get_args(hint)))


def _refuse_dropped(written: Any, understood: Any, path: str = "$") -> None:
    """Raise msgspec.ValidationError where something written was not understood. Defaults may have been added."""
    if isinstance(written, dict):
        for key, value in written.items():
            if key not in understood:
                raise msgspec.ValidationError(f"Object contains unknown field `{key}` - at `{path}`")
            _refuse_dropped(value, understood[key], f"{path}.{key}")
    elif isinstance(written, list):
        for index, value in enumerate(written):
            _refuse_dropped(value, understood[index], f"{path}[{index}]")

"""Facts about the stored form of events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

import pytest
from eventsourcing.persistence import StoredEvent

from application.event_codec import CorruptEvent, EventCodec, UnknownTopic, event_classes_of
from domain.stream import Metadata, Stream, Upcast, topics_of

ID = UUID("0192f7a4-3b1c-7c3d-8e4f-5a6b7c8d9e0f")
OTHER = UUID("11111111-2222-4333-8444-555555555555")
AT = datetime(2026, 11, 23, 12, 30, 0, 123456, tzinfo=UTC)
METADATA = Metadata(AT, actor="user:11", correlation_id="req_1", causation_id="req_1")


class Kind(StrEnum):
    PRIMARY = "primary"
    ADD_ON = "add_on"


@dataclass(frozen=True)
class Line:
    slug: str
    kind: Kind
    cents: int


class Basket(Stream):
    class Filled(Stream.Event):
        TOPIC = "basket.filled.v2"
        lines: tuple[Line, ...]
        owner: UUID
        sealed: bytes
        labels: Mapping[str, str]
        expires_at: datetime | None
        note: str | None = None

    class Emptied(Stream.Event):
        TOPIC = "basket.emptied.v1"


class Door(Stream):
    class Closed(Stream.Event):
        TOPIC = "door.closed.v1"


def filled(**other: Any) -> Basket.Filled:
    basket = Basket.empty(ID)
    fields: dict[str, Any] = {
        "lines": (Line("photos", Kind.PRIMARY, 18_500), Line("twilight", Kind.ADD_ON, 9_900)),
        "owner": OTHER,
        "sealed": b"\x00\xff",
        "labels": {"b": "2", "a": "1"},
        "expires_at": AT.replace(microsecond=0),
    }
    basket.record(METADATA, Basket.Filled, **fields | other)
    (event,) = basket.collect_events()
    assert isinstance(event, Basket.Filled)
    return event


CODEC = EventCodec(event_classes_of(Basket, Door))
WRITTEN = (
    b'{"timestamp":"2026-11-23T12:30:00.123456Z","actor":"user:11","correlation_id":"req_1","causation_id":"req_1",'
    b'"lines":[{"slug":"photos","kind":"primary","cents":18500},{"slug":"twilight","kind":"add_on","cents":9900}],'
    b'"owner":"11111111-2222-4333-8444-555555555555","sealed":"AP8=","labels":{"b":"2","a":"1"},'
    b'"expires_at":"2026-11-23T12:30:00Z","note":null}'
)
STORED = StoredEvent(ID, 1, "basket.filled.v2", WRITTEN)


def changed(**changes: Any) -> StoredEvent:
    """STORED with some fields of its state replaced, or left out where the value is `...`."""
    state = json.loads(WRITTEN) | changes
    return replace(
        STORED, state=json.dumps({name: value for name, value in state.items() if value is not ...}).encode()
    )


def test_an_event_is_written_as_these_bytes_for_ever() -> None:
    assert CODEC.encode(filled()) == STORED


def test_an_event_is_read_back_as_it_was() -> None:
    event = CODEC.decode(STORED)

    assert event == filled()
    assert type(event) is Basket.Filled
    assert event.timestamp == AT
    assert isinstance(event.lines[0].kind, Kind)
    match event:
        case Basket.Filled(lines=(Line(slug="photos"), _), note=None):
            pass
        case _:
            pytest.fail("the pattern does not match")


def test_a_decoded_event_is_applied_like_any_other() -> None:
    basket = Basket.empty(ID)
    CODEC.decode(STORED).mutate(basket)
    assert (basket.version, basket.modified_on) == (1, AT)


def test_a_field_that_came_later_is_filled_in_with_its_default() -> None:
    assert CODEC.decode(changed(note=...)) == filled()


@pytest.mark.parametrize(
    "stored",
    [
        changed(owner=...),
        changed(unheard_of=1),
        changed(lines=[{"slug": "photos", "kind": "primary", "cents": 1, "unheard_of": 1}]),
        changed(lines=[{"slug": "photos", "kind": "primary", "cents": 1.5}]),
        changed(lines=[{"slug": "photos", "kind": "tertiary", "cents": 1}]),
        changed(lines=[{"slug": "photos", "kind": "primary"}]),
        changed(actor=11),
        changed(owner="11"),
        changed(timestamp="2026-11-23T12:30:00"),
        changed(expires_at="2026-11-23T12:30:00"),
        replace(STORED, state=b"{"),
        replace(STORED, state=b"[]"),
        replace(STORED, state=b"\xff"),
        replace(STORED, state=WRITTEN + b"{}"),
        replace(STORED, state=WRITTEN.replace(b"photos", b"phot\xff")),
        replace(STORED, state=b'{"unheard_of":' + b"[" * 5_000),
    ],
    ids=lambda stored: stored.state[-40:].decode("latin-1"),
)
def test_a_state_that_is_not_what_the_topic_promises_is_refused(stored: StoredEvent) -> None:
    with pytest.raises(CorruptEvent, match=r"^basket\.filled\.v2 0192f7a4.*/1: ") as refused:
        CODEC.decode(stored)
    assert refused.value.stored is stored


def test_the_same_state_in_other_bytes_is_read_all_the_same() -> None:
    spaced = json.dumps(json.loads(WRITTEN), indent=1, sort_keys=True).replace("00Z", "00+00:00").encode()
    assert CODEC.decode(replace(STORED, state=spaced)) == filled()


def test_an_unknown_topic_is_refused_by_name() -> None:
    with pytest.raises(UnknownTopic, match=r"basket\.vanished\.v1"):
        CODEC.decode(replace(STORED, topic="basket.vanished.v1"))
    with pytest.raises(UnknownTopic, match=r"door\.closed\.v1"):
        EventCodec(event_classes_of(Basket)).encode(closed_door())


def closed_door() -> Door.Closed:
    door = Door.empty(ID)
    door.record(METADATA, Door.Closed)
    (event,) = door.collect_events()
    assert isinstance(event, Door.Closed)
    return event


@pytest.mark.parametrize(
    "field",
    [{"owner": "11"}, {"note": 11}, {"expires_at": datetime(2026, 11, 23)}, {"lines": ("photos",)}],  # noqa: DTZ001
)
def test_what_could_not_be_read_back_is_not_written(field: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"basket\.filled\.v2"):
        CODEC.encode(filled(**field))


def test_two_classes_with_one_topic_are_refused() -> None:
    with pytest.raises(ValueError, match=r"basket\.filled\.v2"):
        EventCodec([*event_classes_of(Basket), *event_classes_of(Basket)])


def test_only_events_with_a_topic_of_their_own_are_collected() -> None:
    assert event_classes_of(Basket, Door) == [Basket.Filled, Basket.Emptied, Door.Closed]
    assert CODEC.topics == ("basket.filled.v2", "basket.emptied.v1", "door.closed.v1")


class Crate(Stream):
    """Its event has had two shapes before this one."""

    class Filled(Stream.Event):
        TOPIC = "crate.filled.v3"
        SUPERSEDES: ClassVar[Mapping[str, Upcast]] = {
            "crate.packed.v1": lambda state: state | {"lines": [state["line"]], "line": None},
            "crate.filled.v2": lambda state: {name: value for name, value in state.items() if name != "line"},
        }
        lines: tuple[Line, ...]


CRATES = EventCodec(event_classes_of(Crate))
LINE = {"slug": "photos", "kind": "primary", "cents": 18_500}
WHO = {"timestamp": "2026-11-23T12:30:00.123456Z", "actor": "user:11", "correlation_id": "r", "causation_id": "r"}


def crate(topic: str, **state: Any) -> StoredEvent:
    return StoredEvent(ID, 1, topic, json.dumps(WHO | state).encode())


@pytest.mark.parametrize(
    "stored",
    [
        crate("crate.packed.v1", line=LINE),
        crate("crate.filled.v2", line=None, lines=[LINE]),
        crate("crate.filled.v3", lines=[LINE]),
    ],
    ids=lambda stored: stored.topic,
)
def test_every_version_that_was_ever_stored_is_read_as_the_newest(stored: StoredEvent) -> None:
    event = CRATES.decode(stored)

    assert isinstance(event, Crate.Filled)
    assert event.lines == (Line("photos", Kind.PRIMARY, 18_500),)
    assert (event.originator_id, event.originator_version, event.timestamp) == (ID, 1, AT)
    assert CRATES.encode(event).topic == "crate.filled.v3"


def test_superseded_topics_can_be_read_and_are_asked_for_with_the_event_that_they_became() -> None:
    assert set(CRATES.topics) == {"crate.packed.v1", "crate.filled.v2", "crate.filled.v3"}
    assert topics_of([Crate.Filled, Door.Closed]) == {*CRATES.topics, "door.closed.v1"}


def test_a_topic_that_is_in_use_cannot_be_superseded() -> None:
    class Lid(Stream):
        class Shut(Stream.Event):
            TOPIC = "lid.shut.v2"
            SUPERSEDES: ClassVar[Mapping[str, Upcast]] = {"door.closed.v1": lambda state: state}

    with pytest.raises(ValueError, match=r"door\.closed\.v1"):
        EventCodec(event_classes_of(Door, Lid))


@pytest.mark.parametrize(
    "stored",
    [
        crate("crate.packed.v1"),  # the step itself fails
        crate("crate.packed.v1", line=LINE, unheard_of=1),
        crate("crate.packed.v1", line={"slug": "photos"}),
        crate("crate.filled.v2", line=None, lines=[LINE | {"unheard_of": 1}]),
        replace(crate("crate.packed.v1"), state=b"[]"),
    ],
    ids=lambda stored: stored.state[-40:].decode(),
)
def test_an_upcast_state_is_checked_as_strictly(stored: StoredEvent) -> None:
    with pytest.raises(CorruptEvent):
        CRATES.decode(stored)


@pytest.mark.benchmark
def test_a_typical_event_is_decoded_in_less_than_6_microseconds() -> None:
    from timeit import repeat

    assert min(repeat(lambda: CODEC.decode(STORED), number=20_000, repeat=5)) / 20_000 < 6e-6

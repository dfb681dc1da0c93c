"""Topics and fields are a file format: what was ever stored stays readable.

Where a test says that something is new, add it with `python -m tests.application.golden`.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from application.stored_events import CODEC
from tests.application import golden
from tests.application.golden import Entry, compact, entries, event_classes, example, shape

ENTRIES = entries()
SUPERSEDED = [entry for entry in ENTRIES if entry.topic not in event_classes()]
LATEST = {entry.topic: entry for entry in ENTRIES if entry not in SUPERSEDED}
every_entry = pytest.mark.parametrize(
    "entry", [entry for entry in ENTRIES if entry not in SUPERSEDED], ids=lambda entry: entry.topic
)
every_topic = pytest.mark.parametrize("topic", event_classes())


def held(old: Any, new: Any) -> Any:
    """What of `new` was there in `old`."""
    if isinstance(old, dict):
        return {key: held(value, new[key]) for key, value in old.items()}
    if isinstance(old, list):
        return [held(value, new[place]) for place, value in enumerate(old)]
    return new


@every_topic
def test_every_event_class_is_in_the_file_as_it_is_now(topic: str) -> None:
    assert topic in LATEST, "a new topic: python -m tests.application.golden"
    assert shape(event_classes()[topic]) == LATEST[topic].fields, "a changed shape: python -m tests.application.golden"


def test_no_topic_disappears() -> None:
    assert {entry.topic for entry in ENTRIES} <= set(CODEC.topics)


def test_what_was_stored_under_a_superseded_topic_is_read_as_the_event_that_it_became() -> None:
    became = {old: event for event in event_classes().values() for old in event.SUPERSEDES}
    for entry in SUPERSEDED:
        assert type(CODEC.decode(entry.stored)) is became[entry.topic], entry.topic


@every_entry
def test_no_field_is_removed_renamed_or_given_another_type(entry: Entry) -> None:
    now = shape(event_classes()[entry.topic])

    assert entry.fields.items() <= now.items()


@every_entry
def test_every_stored_example_is_read_and_written_again_byte_for_byte(entry: Entry) -> None:
    event = CODEC.decode(entry.stored)
    again = CODEC.encode(event)

    assert CODEC.decode(again) == event
    assert (again.topic, again.originator_id, again.originator_version) == (
        entry.topic,
        entry.stored.originator_id,
        entry.stored.originator_version,
    )
    assert compact(held(json.loads(entry.state), json.loads(again.state))) == entry.state
    if entry is LATEST[entry.topic]:
        assert again.state == entry.state


@pytest.mark.parametrize("topic", LATEST)
def test_the_latest_example_of_a_topic_is_the_event_it_was_made_from(topic: str) -> None:
    assert CODEC.decode(LATEST[topic].stored) == example(event_classes()[topic])


def test_one_topic_is_one_event_class() -> None:
    assert len(event_classes()) == len(CODEC.topics) - len({entry.topic for entry in SUPERSEDED})
    assert all(topic.rpartition(".v")[2].isdecimal() for topic in CODEC.topics)


def test_adding_what_is_new_leaves_what_is_there_alone(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = json.loads(golden.FILE.read_text())
    monkeypatch.setattr(golden, "FILE", tmp_path / "golden.json")
    golden.FILE.write_text(json.dumps(rows[:-1]))

    assert golden.add_new() == [rows[-1]["topic"]]
    assert json.loads(golden.FILE.read_text()) == rows
    assert golden.add_new() == []


def test_a_shape_that_has_lost_a_field_is_not_added(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = json.loads(golden.FILE.read_text())
    rows[-1]["fields"]["gone"] = "str"
    monkeypatch.setattr(golden, "FILE", tmp_path / "golden.json")
    golden.FILE.write_text(json.dumps(rows))

    with pytest.raises(ValueError, match=rows[-1]["topic"]):
        golden.add_new()
    assert json.loads(golden.FILE.read_text()) == rows

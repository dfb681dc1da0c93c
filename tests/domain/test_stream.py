"""An event is applied to the stream it belongs to, as its next, and to nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from eventsourcing.domain import OriginatorIDError, OriginatorVersionError

from domain.duplicate_window import DuplicateWindow
from domain.stream import Metadata

AT = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
METADATA = Metadata(AT, actor="user:11", correlation_id="req_1", causation_id="req_1")
WINDOW, ORDER = UUID(int=1), UUID(int=2)


def opened() -> DuplicateWindow.Opened:
    window = DuplicateWindow.empty(WINDOW)
    window.open(METADATA, order_id=ORDER, client_id=11)
    (event,) = window.collect_events()
    assert isinstance(event, DuplicateWindow.Opened)
    return event


def test_the_next_event_of_a_stream_is_applied_to_it() -> None:
    window = DuplicateWindow.empty(UUID(int=1))  # the same id, and another object

    assert opened().mutate(window) is window
    assert (window.version, window.modified_on, window.order_id, window.is_open) == (1, AT, ORDER, True)


def test_an_event_of_another_stream_is_refused() -> None:
    window = DuplicateWindow.empty(UUID(int=3))

    with pytest.raises(OriginatorIDError):
        opened().mutate(window)
    assert (window.version, window.order_id) == (0, None)


@pytest.mark.parametrize("version", [0, 2])
def test_an_event_that_is_not_the_next_is_refused(version: int) -> None:
    window = DuplicateWindow.empty(WINDOW)

    with pytest.raises(OriginatorVersionError):
        replace(opened(), originator_version=version).mutate(window)
    assert (window.version, window.order_id) == (0, None)


@pytest.mark.parametrize("fields", [{}, {"order_id": ORDER, "client_id": 11, "unheard_of": 1}])
def test_an_event_with_a_field_missing_or_too_many_is_not_recorded(fields: dict[str, object]) -> None:
    window = DuplicateWindow.empty(WINDOW)

    with pytest.raises(TypeError):
        window.record(METADATA, DuplicateWindow.Opened, **fields)
    assert not window.pending_events


def test_what_was_collected_is_pending_no_longer() -> None:
    window = DuplicateWindow.empty(WINDOW)
    window.open(METADATA, order_id=ORDER, client_id=11)

    assert [type(event) for event in window.collect_events()] == [DuplicateWindow.Opened]
    assert not window.collect_events()
    assert not window.pending_events

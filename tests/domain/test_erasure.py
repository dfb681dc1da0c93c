"""An erasure is asked for once and completed once, in that order, however often it is said."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from domain.erasure import ClientErasure
from domain.stream import Metadata

AT = Metadata(datetime(2026, 11, 23, tzinfo=UTC), "operator:olga", "cmd_1", "cmd_1")


def test_asking_and_completing_again_changes_nothing() -> None:
    erasure = ClientErasure.empty(UUID(int=1))
    for _ in range(2):
        erasure.request(AT, client_id=11, reason="asked by letter")
        erasure.complete(AT)
    erasure.request(AT, client_id=11, reason="once more")
    assert [type(event).__name__ for event in erasure.collect_events()] == ["Requested", "Erased"]
    assert (erasure.client_id, erasure.reason, erasure.erased_at) == (11, "asked by letter", AT.recorded_at)


def test_nothing_is_completed_that_was_not_asked_for() -> None:
    erasure = ClientErasure.empty(UUID(int=1))
    erasure.complete(AT)
    assert (list(erasure.collect_events()), erasure.erased_at) == ([], None)

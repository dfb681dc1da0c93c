"""Facts about an insert whose COMMIT was not heard of."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

from eventsourcing.persistence import Notification, StoredEvent

from application.adapters.recorders.commit_groups import Insert, Outcome, resolved
from application.event_log import Conflict, StoreUnavailable
from tests.application.adapters.recorders.examples import event
from tests.helpers import run

ORDER, WINDOW = uuid4(), uuid4()
OURS = [event(ORDER, 3, b"ours"), event(WINDOW, 1, b"ours")]


def ended(found: Sequence[StoredEvent]) -> Outcome:
    async def with_a_loop() -> Outcome:
        at = [
            Notification(one.originator_id, one.originator_version, one.topic, one.state, id=40 + n)
            for n, one in enumerate(found)
        ]
        return resolved(Insert.of(OURS), at)

    return run(with_a_loop())


def test_our_own_bytes_in_every_stream_mean_that_it_was_written() -> None:
    assert ended([event(ORDER, 1), event(ORDER, 2), *OURS]) == 43


def test_none_of_the_versions_there_means_that_it_was_not_written() -> None:
    assert isinstance(ended([event(ORDER, 1), event(ORDER, 2)]), StoreUnavailable)


def test_other_bytes_at_a_version_of_ours_mean_a_conflict() -> None:
    assert isinstance(ended([event(ORDER, 3, b"theirs"), event(WINDOW, 1, b"ours")]), Conflict)
    assert isinstance(ended([event(ORDER, 3, b"theirs")]), Conflict)


def test_the_same_bytes_under_another_topic_are_not_ours() -> None:
    assert isinstance(ended([event(ORDER, 3, b"ours"), event(WINDOW, 1, b"ours", topic="other.v1")]), Conflict)

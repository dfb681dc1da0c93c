"""Lists who has looked at personal data, from the log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from application.audit.state import StoredRow
from application.event_codec import EventCodec
from domain.personal_data_access import PersonalDataAccess

SPAN = 100_000  # positions that one statement passes over


@dataclass(frozen=True)
class SeenData:
    """One look, as it was recorded."""

    position: int
    recorded_at: datetime
    actor: str
    order_id: UUID
    client_id: int
    fields: tuple[str, ...]
    reason: str


class TopicScan(Protocol):
    """The stored log, read by topic."""

    def head(self) -> int: ...

    def of_topics(self, topics: tuple[str, ...], after: int, end: int) -> list[StoredRow]: ...


def looks_at(scan: TopicScan, codec: EventCodec, client_id: int | None = None) -> Iterator[SeenData]:
    """All looks at personal data, or those at one client's, oldest first. Raises CorruptEvent."""
    head = scan.head()
    for after in range(0, head, SPAN):
        for row in scan.of_topics((PersonalDataAccess.Seen.TOPIC,), after, min(after + SPAN, head)):
            event = codec.decode(StoredEvent(UUID(row.stream_id), row.version, row.topic, row.state))
            assert isinstance(event, PersonalDataAccess.Seen)
            if client_id in (None, event.client_id):
                yield SeenData(
                    position=row.position,
                    recorded_at=event.timestamp,
                    actor=event.actor,
                    order_id=event.order_id,
                    client_id=event.client_id,
                    fields=event.fields,
                    reason=event.reason,
                )

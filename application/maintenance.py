"""Keeps in the log who wished a read model to be rebuilt, rolled back or repaired by hand, why, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from application.event_log import EventLog
from application.ports import Clock
from domain.maintenance import Maintenance
from domain.stream import Metadata

_NAMESPACE = uuid5(NAMESPACE_URL, "urn:pay-and-submit:maintenance")
DEAD_LETTERS, LOG = "dead-letters", "log"  # subjects beside the read models
MAX_TEXT_CHARS = 500
MAX_DETAILS = 20


def maintenance_id(subject: str) -> UUID:
    """The stream of a read model, by its name, or of the dead letters."""
    return uuid5(_NAMESPACE, subject)


@dataclass(frozen=True)
class Wisher:
    """Who acts, why, and by which request."""

    actor: str
    reason: str
    request: str


@dataclass(frozen=True)
class Ending:
    """What became of a wish."""

    outcome: str  # as Maintenance.Ended says
    text: str
    details: tuple[str, ...] = ()


Wish = Callable[[Maintenance, Metadata, str], None]
"""Records one wish, with its reason."""


class MaintenanceLog:
    """Records wishes and their ends. Raises StoreUnavailable, CommitUnknown."""

    def __init__(self, events: EventLog, clock: Clock) -> None:
        self._events = events
        self._clock = clock

    async def wish(self, subject: str, wish: Wish, by: Wisher) -> None:
        """The intent, before anything is done."""
        await self._save(subject, by, lambda stream, when: wish(stream, when, by.reason))

    async def end(self, subject: str, by: Wisher, ending: Ending) -> None:
        """What came of it."""
        text = ending.text[:MAX_TEXT_CHARS]
        details = tuple(line[:MAX_TEXT_CHARS] for line in ending.details[:MAX_DETAILS])
        await self._save(subject, by, lambda stream, when: stream.end(when, ending.outcome, text, details))

    async def history(self, subject: str, limit: int = 20) -> list[Maintenance.Event]:
        """What was done about a read model or the dead letters, newest first."""
        found = await self._events.history(maintenance_id(subject))
        return [event for _, event in reversed(found[-limit:]) if isinstance(event, Maintenance.Event)]

    async def under_way(self, subject: str, limit: timedelta) -> Maintenance.Event | None:
        """The newest wish without an end, in whichever process; older than the limit it counts as given up."""
        ended: set[str] = set()
        for event in await self.history(subject):
            if isinstance(event, Maintenance.Ended):
                ended.add(event.correlation_id)
            elif event.correlation_id not in ended:
                return event if self._clock.now() - event.timestamp < limit else None
        return None

    async def _save(self, subject: str, by: Wisher, record: Callable[[Maintenance, Metadata], None]) -> None:
        def decide(stream: Maintenance) -> None:
            record(stream, Metadata(self._clock.now(), by.actor, by.request, by.request))

        await self._events.change(Maintenance, maintenance_id(subject), decide)

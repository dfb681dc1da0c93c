"""Records every look at personal data before it is shown: who, whose, which fields, where and why.

It fails closed: what cannot be recorded is not shown, or whoever can fill a disk could read unseen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from application.event_log import MAX_RACES, Conflict, EventLog, StoreUnavailable
from application.ports import Clock
from domain.personal_data_access import PersonalDataAccess
from domain.stream import Metadata

PERSONAL_VIEWS = frozenset({"order_read", "order_receipt"})
_NAMESPACE = uuid5(NAMESPACE_URL, "urn:pay-and-submit:personal-data-access")
_FIELDS = ("property", "property_access", "appointments", "instructions", "metadata")  # of the views


@dataclass(frozen=True)
class Look:
    """One order whose personal data is about to be shown."""

    order_id: UUID
    client_id: int
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Viewer:
    """Who looks: in which request, and where or why."""

    actor: str  # user:7, application:planoorder, operator:kim
    request: str
    reason: str


class RecordLooks:
    """One event per actor, order and UTC day; another one only where more fields are shown than before."""

    def __init__(self, events: EventLog, clock: Clock) -> None:
        self._events = events
        self._clock = clock

    async def __call__(self, viewer: Viewer, looks: Sequence[Look]) -> None:
        """Record them in one commit. Raises StoreUnavailable and CommitUnknown: then nothing may be shown."""
        looks = [look for look in looks if look.fields]
        if not looks:
            return
        for _ in range(MAX_RACES):
            now = self._clock.now()
            ids = [access_id(viewer.actor, look.order_id, now) for look in looks]
            streams = await self._events.load(*((PersonalDataAccess, stream_id) for stream_id in ids))
            for look, access in zip(looks, streams, strict=True):
                access.see(
                    Metadata(now, viewer.actor, viewer.request, viewer.request),
                    order_id=look.order_id,
                    client_id=look.client_id,
                    fields=look.fields,
                    reason=viewer.reason,
                )
            try:
                await self._events.save(*streams)
            except Conflict:
                continue  # the same viewer, in two requests at once
            return
        raise StoreUnavailable("too many lost races")


def access_id(actor: str, order_id: UUID, at: datetime) -> UUID:
    """The stream of this actor's looks at this order on this day, UTC."""
    return uuid5(_NAMESPACE, f"{actor}:{order_id}:{at.astimezone(UTC).date()}")


def look_at(client_id: int, shown: Mapping[str, Any]) -> Look:
    """A look at an order in one of the views that show personal data: the fields that hold any."""
    fields = tuple(name for name in _FIELDS if _holds_any(shown.get(name)))
    named = ("client.name",) if (shown.get("client") or {}).get("name") else ()
    return Look(UUID(shown["id"]), client_id, named + fields)


def _holds_any(value: Any) -> bool:
    return any(map(_holds_any, value.values())) if isinstance(value, dict) else bool(value)

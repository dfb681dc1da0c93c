"""PersonalDataAccess: who has looked at the personal data of an order, on which day, and for what."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from domain.stream import Metadata, Stream


class PersonalDataAccess(Stream):
    """One per actor, order and UTC day. It names fields, never what they hold."""

    class Event(Stream.Event):
        pass

    class Seen(Event):
        """Somebody who is not the owning client was about to be shown these fields."""

        TOPIC = "personal-data.seen.v1"

        order_id: UUID
        client_id: int  # whose data it is
        fields: tuple[str, ...]
        reason: str  # where and for what: a route with its view, a command with what its user gave as a reason

        def apply(self, access: PersonalDataAccess) -> None:
            access.seen |= set(self.fields)

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def see(self, metadata: Metadata, *, order_id: UUID, client_id: int, fields: Iterable[str], reason: str) -> None:
        """Record the look; the same fields again on the same day record nothing."""
        wanted = tuple(fields)
        if not self.seen.issuperset(wanted):
            self.record(metadata, self.Seen, order_id=order_id, client_id=client_id, fields=wanted, reason=reason)

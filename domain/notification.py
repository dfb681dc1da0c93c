"""Notification: something that a person should look at; shown in the notifications tab."""

from __future__ import annotations

from uuid import UUID

from domain.stream import Metadata, Stream


class Notification(Stream):
    """Raised once per cause; seen; resolved."""

    class Event(Stream.Event):
        pass

    class Raised(Event):
        TOPIC = "notification.raised.v1"

        kind: str  # email-failed | gateway-keys-refused | orphan-charge | stuck-attempt | ...
        order_id: UUID | None
        message: str  # for people: what happened; no personal data
        action: str  # for people: what to do

        def apply(self, notification: Notification) -> None:
            notification.raised = self

    class Seen(Event):
        TOPIC = "notification.seen.v1"

        def apply(self, notification: Notification) -> None:
            notification.is_seen = True

    class Resolved(Event):
        TOPIC = "notification.resolved.v1"

        reason: str

        def apply(self, notification: Notification) -> None:
            notification.is_resolved = True

    def __init__(self) -> None:
        self.raised: Notification.Raised | None = None
        self.is_seen = False
        self.is_resolved = False

    def raise_once(self, metadata: Metadata, *, kind: str, order_id: UUID | None, message: str, action: str) -> None:
        if self.raised is None:
            self.record(metadata, self.Raised, kind=kind, order_id=order_id, message=message, action=action)

    def see(self, metadata: Metadata) -> None:
        if self.raised is not None and not self.is_seen and not self.is_resolved:
            self.record(metadata, self.Seen)

    def resolve(self, metadata: Metadata, reason: str) -> None:
        if self.raised is not None and not self.is_resolved:
            self.record(metadata, self.Resolved, reason=reason)

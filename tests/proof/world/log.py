"""What the world knows of the engine's log: every stored event in order, and the intents that it must hold first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from application.stored_events import CODEC
from domain.order import Order
from domain.orphan_charge import OrphanCharge
from domain.stream import Stream


class WorldLog:
    """Filled at the very moment of each commit."""

    def __init__(self, base: int) -> None:
        self.head = base  # last position; a shared database may have started above zero
        self.stored: list[StoredEvent] = []
        self.events: list[tuple[int, Stream.Event]] = []
        self.intents: dict[str, datetime] = {}  # invoice number → the instant that its intent was decided at
        self.to_take_back: set[str] = set()  # transactions with a stored intent to take them back or decline them
        self._orphans: dict[UUID, str] = {}

    def written(self, events: Sequence[StoredEvent], last_position: int) -> None:
        first = last_position - len(events) + 1
        assert first > self.head, "positions grow"
        self.head = last_position
        for position, stored in enumerate(events, first):
            event = CODEC.decode(stored)
            self.stored.append(stored)
            self.events.append((position, event))
            match event:
                case Order.PaymentAttempted():
                    self.intents[event.invoice_number] = event.timestamp
                case Order.VoidRequested() | Order.RefundRequested() | Order.HoldDeclineRequested():
                    self.to_take_back.add(event.transaction_id)
                case OrphanCharge.Found():
                    self._orphans[event.originator_id] = event.transaction_id
                case OrphanCharge.VoidRequested():
                    self.to_take_back.add(self._orphans[event.originator_id])

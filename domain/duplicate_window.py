"""DuplicateWindow: the same thing is not paid twice in a short time, nor while an earlier outcome is open."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.refusals import DuplicatePayment
from domain.stream import Metadata, Stream


class DuplicateWindow(Stream):
    """One per thing that is paid for: client, services with quantities, property.

    Opened with the intent to pay, closed with its outcome; a yes blocks for a while, a definite no does not.
    """

    class Event(Stream.Event):
        pass

    class Opened(Event):
        TOPIC = "duplicate-window.opened.v1"

        order_id: UUID
        client_id: int

        def apply(self, window: DuplicateWindow) -> None:
            window.order_id = self.order_id
            window.is_open = True

    class Closed(Event):
        TOPIC = "duplicate-window.closed.v1"

        order_id: UUID
        outcome: str  # the payment state that closed it
        blocked_until: datetime

        def apply(self, window: DuplicateWindow) -> None:
            window.is_open = False
            window.blocked_until = self.blocked_until

    def __init__(self) -> None:
        self.order_id: UUID | None = None  # the last order that opened it
        self.is_open = False
        self.blocked_until: datetime | None = None

    def require_free(self, order_id: UUID, at: datetime) -> None:
        """Raise DuplicatePayment while another order's payment is open, or was made a moment ago."""
        if self.order_id is None or self.order_id == order_id:
            return
        if self.is_open:
            raise DuplicatePayment("earlier-payment-open", earlier_order_id=self.order_id)
        if self.blocked_until is not None and at < self.blocked_until:
            raise DuplicatePayment("just-paid", earlier_order_id=self.order_id, blocked_until=self.blocked_until)

    def open(self, metadata: Metadata, *, order_id: UUID, client_id: int) -> None:
        self.require_free(order_id, metadata.recorded_at)
        if self.order_id != order_id:
            self.record(metadata, self.Opened, order_id=order_id, client_id=client_id)

    def close(self, metadata: Metadata, *, order_id: UUID, outcome: str, blocked_until: datetime) -> None:
        """Close it for the order that opened it; closing again changes nothing."""
        if self.is_open and self.order_id == order_id:
            self.record(metadata, self.Closed, order_id=order_id, outcome=outcome, blocked_until=blocked_until)

"""What the log says: every order and its guards, folded from a database that nobody need be running on."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from uuid import UUID

from application.adapters.recorders import open_recorder
from application.stored_events import CODEC
from domain.duplicate_window import DuplicateWindow
from domain.order import Order
from domain.order_events import EmailState, OrderState
from domain.promotion import PromotionRedemption
from domain.stream import Stream

PAGE = 1_000


@dataclass
class History:
    """All streams that the money path writes, by id, and the events of each."""

    orders: dict[UUID, Order] = field(default_factory=dict)
    windows: dict[UUID, DuplicateWindow] = field(default_factory=dict)
    redemptions: dict[UUID, PromotionRedemption] = field(default_factory=dict)
    events: defaultdict[UUID, list[Stream.Event]] = field(default_factory=lambda: defaultdict(list))

    def take(self, event: Stream.Event) -> None:
        stream_id: UUID = event.originator_id
        self.events[stream_id].append(event)
        stream: Stream
        if isinstance(event, Order.Event):
            stream = self.orders.setdefault(stream_id, Order.empty(stream_id))
        elif isinstance(event, DuplicateWindow.Event):
            stream = self.windows.setdefault(stream_id, DuplicateWindow.empty(stream_id))
        elif isinstance(event, PromotionRedemption.Event):
            stream = self.redemptions.setdefault(stream_id, PromotionRedemption.empty(stream_id))
        else:
            return
        event.mutate(stream)

    def names(self, stream_id: UUID) -> list[str]:
        """The names of a stream's events, in order."""
        return [type(event).__name__ for event in self.events[stream_id]]

    def unresolved(self) -> list[UUID]:
        """Orders on which something is still to be done: money that is open, or an email that is not sent."""
        return [order.id for order in self.orders.values() if _open(order)]


def _open(order: Order) -> bool:
    unpaid = order.state in (None, OrderState.PAYMENT_OPEN, OrderState.PAYMENT_HELD)
    unsent = order.submitted_at is not None and order.email_state is not EmailState.SENT
    return unpaid or unsent or bool(order.open_corrections)


async def read_history(database_url: str) -> History:
    """The whole log. Raises StoreUnavailable."""
    history, recorder, position = History(), open_recorder(database_url), 0
    try:
        while page := await recorder.notifications(position + 1, PAGE):
            for stored in page:
                history.take(CODEC.decode(stored))
            position = page[-1].id
    finally:
        await recorder.close()
    return history

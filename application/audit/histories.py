"""The histories of an order and of all streams that belong to its story, read in two round trips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from application.audit.story import Recorded
from application.event_log import EventLog
from application.notifications import NOTICES, notification_id
from domain.duplicate_window import DuplicateWindow
from domain.notification import Notification
from domain.order import Order
from domain.promotion import PromotionRedemption
from domain.stream import Stream


@dataclass(frozen=True)
class Histories:
    """Events with their positions. `order` is the order as it is now."""

    order: Order
    events: Sequence[Recorded]
    window: Sequence[Recorded]
    redemption: Sequence[Recorded]
    notifications: Sequence[Recorded]
    promotions: Mapping[UUID, Sequence[Recorded]]  # whose terms the order applied, or was refused by

    def everything(self) -> list[Recorded]:
        """The order's events, its guards' and its notifications', by position."""
        found = [*self.events, *self.window, *self.redemption, *self.notifications]
        return sorted(found, key=lambda recorded: recorded[0])

    def empty_streams(self) -> dict[UUID, Stream]:
        """Each stream of `everything` before its first event."""
        found: dict[UUID, Stream] = {self.order.id: Order.empty(self.order.id)}
        guards: tuple[tuple[type[Stream], Sequence[Recorded]], ...] = (
            (DuplicateWindow, self.window),
            (PromotionRedemption, self.redemption),
            (Notification, self.notifications),
        )
        for aggregate, history in guards:
            for _, event in history:
                stream_id = event.originator_id
                found.setdefault(stream_id, aggregate.empty(stream_id))
        return found


async def histories_of(events: EventLog, order_id: UUID) -> Histories | None:
    """None where there is no such order. Raises StoreUnavailable, UnknownTopic, CorruptEvent."""
    history = await events.history(order_id)
    if not history or not isinstance(history[0][1], Order.Requested):
        return None
    order = Order.empty(order_id)
    for _, event in history:
        event.mutate(order)
    assert order.requested is not None
    window_id = order.requested.duplicate_window_id
    redemption_id = await _redemption_id(events, order)
    promotion_ids = {found.promotion_id for found in (order.promotion, order.refused) if found and found.promotion_id}
    notification_ids = [notification_id(notice, order_id) for notice in NOTICES]
    wanted = {window_id, *promotion_ids, *notification_ids, *([redemption_id] if redemption_id else [])}
    found = await _read(events, wanted)
    return Histories(
        order=order,
        events=history,
        window=found.get(window_id, []),
        redemption=found.get(redemption_id, []) if redemption_id else [],
        notifications=[recorded for stream_id in notification_ids for recorded in found.get(stream_id, [])],
        promotions={promotion_id: found.get(promotion_id, []) for promotion_id in promotion_ids},
    )


async def _redemption_id(events: EventLog, order: Order) -> UUID | None:
    """The redemption that the order reserved, or that was in its way: then the earlier order names it."""
    refused = order.refused
    if order.promotion is None and refused and refused.status == "promotion-expended" and refused.earlier_order_id:
        (order,) = await events.load((Order, refused.earlier_order_id))
    return order.promotion.redemption_id if order.promotion else None


async def _read(events: EventLog, stream_ids: set[UUID]) -> dict[UUID, list[Recorded]]:
    found: dict[UUID, list[Recorded]] = {}
    for stored in await events.recorder.select(sorted(stream_ids)):
        event = events.codec.decode(stored)
        found.setdefault(event.originator_id, []).append((stored.id, event))
    return found

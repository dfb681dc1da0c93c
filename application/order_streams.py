"""Loads and saves the streams that belong to one order: the order, its duplicate window, its redemption."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from application.event_log import MAX_RACES, CommitUnknown, Conflict, EventLog, StoreUnavailable
from application.notifications import Notice, notification_id, raised
from application.ports import Clock
from domain.duplicate_window import DuplicateWindow
from domain.notification import Notification
from domain.order import Order
from domain.promotion import PromotionRedemption
from domain.stream import Metadata, Stream
from domain.submission import Guards

RETRY_WAITS_S = (0.05, 0.2, 0.5, 1.0, 2.0)  # between tries to store something that has already happened


@dataclass(frozen=True)
class Saved:
    """What a save left behind. `read_at` was read from the clock before the save."""

    guards: Guards
    position: int
    read_at: datetime


def empty(order_id: UUID, window_id: UUID, redemption_id: UUID | None) -> Guards:
    """The three before their first events."""
    redemption = None if redemption_id is None else PromotionRedemption.empty(redemption_id)
    return Guards(Order.empty(order_id), DuplicateWindow.empty(window_id), redemption)


class OrderStreams:
    """The order and its guards, always loaded and saved together."""

    def __init__(self, events: EventLog, clock: Clock) -> None:
        self._events = events
        self._clock = clock

    async def load(self, order_id: UUID, window_id: UUID, redemption_id: UUID | None) -> Guards:
        """All three in one round trip."""
        if redemption_id is None:
            order, window = await self._events.load((Order, order_id), (DuplicateWindow, window_id))
            return Guards(order, window, None)
        order, window, redemption = await self._events.load(
            (Order, order_id), (DuplicateWindow, window_id), (PromotionRedemption, redemption_id)
        )
        return Guards(order, window, redemption)

    async def order(self, order_id: UUID) -> Order:
        """The order alone; version 0 if there is none."""
        (order,) = await self._events.load((Order, order_id))
        return order

    async def load_for(self, order_id: UUID) -> Guards:
        """An existing order with the guards that its own events name."""
        order = await self.order(order_id)
        assert order.requested is not None, "the order exists"
        redemption_id = order.promotion.redemption_id if order.promotion else None
        return await self.load(order_id, order.requested.duplicate_window_id, redemption_id)

    def save(self, guards: Guards, *more: Stream) -> Awaitable[int]:
        """Everything pending, in one commit; the position of its last event. Raises as EventLog.save."""
        streams: list[Stream] = [guards.order, guards.window, *more]
        if guards.redemption is not None:
            streams.append(guards.redemption)
        return self._events.save(*streams)

    async def head(self) -> int:
        """The position of the last event in the log."""
        return await self._events.recorder.max_position()

    async def notify(self, notice: Notice, subject: UUID, metadata: Metadata, *, about_order: bool = True) -> None:
        """Raise a notification, unless it has been raised before. `subject`: the order, or what else it is about."""
        (known,) = await self._events.load((Notification, notification_id(notice, subject)))
        if known.version == 0:
            with suppress(Conflict):  # somebody else has just raised it
                await self._events.save(raised(notice, subject, metadata, about_order=about_order))

    async def decide_and_save(self, guards: Guards, decide: Callable[[Guards, datetime], Sequence[Stream]]) -> Saved:
        """Store what `decide` records, deciding again on fresh state after a lost race or a failed save.

        `decide` must be a repeatable decision: on state that already holds its result it records nothing. It returns
        further streams to save in the same commit. Raises StoreUnavailable or CommitUnknown once the tries are used up.
        """
        waits = iter(RETRY_WAITS_S)
        races = 0
        stale = False
        while True:
            try:
                if stale:
                    guards = await self.load_for(guards.order.id)
                read_at = self._clock.now()
                more = decide(guards, read_at)
                # Nothing to save: an earlier try of ours was stored after all, or somebody else has done it.
                position = await self.save(guards, *more) or await self.head()
                return Saved(guards, position, read_at)
            except Conflict:
                races += 1
                if races >= MAX_RACES:
                    raise StoreUnavailable("too many lost races") from None
            except (StoreUnavailable, CommitUnknown):
                wait_s = next(waits, None)
                if wait_s is None:
                    raise
                await self._clock.sleep(wait_s)
            stale = True

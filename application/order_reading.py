"""Orders for readers: folded from the log, so always current, with the personal data opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from application.event_log import EventLog
from application.order_view import order_view
from application.ports import KeyStore
from application.submissions import open_personal
from application.times import utc_text
from domain.order import Order
from domain.stream import Stream

_HIDDEN = {"originator_id", "originator_version", "timestamp", "actor", "correlation_id", "causation_id", "personal"}


@dataclass(frozen=True)
class ReadableOrder:
    """An order in a view, and whose it is: the caller decides who may see it."""

    client_id: int
    shown: dict[str, Any]
    requester: str = ""  # who asked for it


class OrderReading:
    """Reads orders from the log; one per process."""

    def __init__(self, events: EventLog, keys: KeyStore) -> None:
        self._events = events
        self._keys = keys

    async def read(self, order_id: UUID, view: str, at: datetime | None = None) -> ReadableOrder | None:
        """The order now, or as it was recorded at a past instant; None if there was none."""
        order = Order.empty(order_id)
        for _, event in await self._events.history(order_id):
            if at is not None and event.timestamp > at:
                break
            event.mutate(order)
        return await self._readable(order, view)

    async def read_many(self, order_ids: Sequence[UUID], view: str) -> list[ReadableOrder]:
        """The orders now, in the order asked for, read in one round trip."""
        loaded = await self._events.load(*((Order, order_id) for order_id in order_ids))
        readable = [await self._readable(order, view) for order in loaded]
        return [order for order in readable if order is not None]

    async def exists(self, order_id: UUID, client_id: int) -> bool:
        """Whether the client has such an order, and it was submitted."""
        (order,) = await self._events.load((Order, order_id))
        return order.requested is not None and order.requested.client_id == client_id and order.submitted_at is not None

    async def events(self, order_id: UUID) -> tuple[int, list[dict[str, Any]]] | None:
        """The client's id and the order's events in their stored order, without the personal data."""
        history = await self._events.history(order_id)
        if not history:
            return None
        first = history[0][1]
        assert isinstance(first, Order.Requested)
        return first.client_id, [shown_event(position, event) for position, event in history]

    async def _readable(self, order: Order, view: str) -> ReadableOrder | None:
        if order.requested is None:
            return None
        personal = await open_personal(self._keys, order)
        shown = order_view(order, personal, view)
        return ReadableOrder(order.requested.client_id, shown, order.requested.requester)


def shown_event(position: int, event: Stream.Event) -> dict[str, Any]:
    topic: str = type(event).TOPIC  # type: ignore[attr-defined]
    names = [field.name for field in fields(event) if field.name not in _HIDDEN]
    return {
        "position": position,
        "version": event.originator_version,
        "topic": topic,
        "name": type(event).__name__,
        "recorded_at": utc_text(event.timestamp),
        "actor": event.actor,
        "correlation_id": event.correlation_id,
        "causation_id": event.causation_id,
        "data": msgspec.to_builtins({name: getattr(event, name) for name in names}),
    }

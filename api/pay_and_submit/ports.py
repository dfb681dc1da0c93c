"""What this route needs from the rest of the product, as Protocols."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from api.authentication import Actor
from application.commands import OrderedService, Outcome, SubmitOrder
from application.ports import PromotionRecord


class SubmitOrderHandler(Protocol):
    async def __call__(self, command: SubmitOrder, intent_stored: Callable[[], None], /) -> Outcome:
        """Pay and submit, or tell how a repeat of the request ended. Calls `intent_stored` before it calls a vendor."""
        ...


class RenderOrder(Protocol):
    async def __call__(self, order_id: UUID, view: str, reader: Actor, /) -> Mapping[str, Any] | None:
        """The order in the view, as this reader may see it; None where it may not."""
        ...


class PreviousOrders(Protocol):
    async def exists(self, order_id: UUID, client_id: int, /) -> bool:
        """Whether the client has such an order that it may see."""
        ...


class AmountDue(Protocol):
    def __call__(
        self,
        services: tuple[OrderedService, ...],
        promotion: PromotionRecord | None,
        designation: str | None,
        now: datetime,
        /,
    ) -> int:
        """Cents that remain to be paid after the promotion, where it holds."""
        ...


class RequestDigest(Protocol):
    def request_digest(self, body: bytes, /) -> str:
        """The keyed digest of a canonical body."""
        ...

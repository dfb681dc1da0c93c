"""What is known at one event of an order's story: the order before it, and the histories of its guards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.order import Order
from domain.promotion import Promotion, PromotionTerms
from domain.stream import Stream

Recorded = tuple[int, Stream.Event]  # an event with its position


@dataclass(frozen=True)
class Story:
    """`before`: the order as it was just before the event at `position`."""

    position: int
    before: Order
    window: Sequence[Recorded]
    redemption: Sequence[Recorded]
    promotions: Mapping[UUID, Sequence[Recorded]]
    personal_fields: tuple[str, ...] | str  # the names of what was given, or why they cannot be told

    def earlier(self, history: Sequence[Recorded]) -> list[Stream.Event]:
        """The events of a guard that stand before this one in the log."""
        return [event for position, event in history if position < self.position]

    def promotion_then(self, promotion_id: UUID) -> Promotion:
        """The promotion as its own stream had it at this position."""
        promotion = Promotion.empty(promotion_id)
        for event in self.earlier(self.promotions.get(promotion_id, ())):
            event.mutate(promotion)
        return promotion

    def terms(self, promotion_id: UUID, version: int) -> tuple[PromotionTerms, Stream.Event] | None:
        """The terms of a version, and the event that set them."""
        promotion = Promotion.empty(promotion_id)
        for event in self.earlier(self.promotions.get(promotion_id, ())):
            event.mutate(promotion)
            if event.originator_version == version and promotion.terms is not None:
                return promotion.terms, event
        return None

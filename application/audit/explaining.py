"""Explains an order: each of its events with who, when, by which rule and on which inputs, and what it changed.

The events are those of the order, of its duplicate window and its promotion's redemption as far as they are about this
order, and of its notifications. Personal data is never shown, only the names of the fields that were given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

from application.audit.differences import changes, shown_state
from application.audit.explanation import Explanation, GatewaySaid, Step
from application.audit.histories import Histories, histories_of
from application.audit.rules import rule_of
from application.audit.sentences import sentence
from application.audit.story import Story
from application.event_log import EventLog
from application.personal_data import SealBroken
from application.ports import KeyStore
from application.ports.seals import Seals
from application.submissions import open_personal
from domain.duplicate_window import DuplicateWindow
from domain.notification import Notification
from domain.order import Order
from domain.payment import GatewayCodes
from domain.promotion import PromotionRedemption
from domain.stream import Stream

RESPONSES = {"1": "approved", "2": "declined", "3": "error", "4": "held for review"}  # transactionResponse/responseCode
KINDS: dict[type[Stream], str] = {
    Order: "order",
    DuplicateWindow: "duplicate-window",
    PromotionRedemption: "promotion-redemption",
    Notification: "notification",
}


class Explain:
    """`meaning` tells the status that our table gives a code of the gateway."""

    def __init__(self, events: EventLog, keys: KeyStore, meaning: Callable[[str], str | None]) -> None:
        self._events = events
        self._keys = keys
        self._meaning = meaning

    async def __call__(self, order_id: UUID) -> Explanation | None:
        """The order's story up to now; None where there is no such order. Raises StoreUnavailable."""
        found = await histories_of(self._events, order_id)
        if found is None:
            return None
        requested = found.order.requested
        assert requested is not None
        steps = tuple(self._steps(found, await self._personal_fields(found.order)))
        return Explanation(order_id, found.order.number, requested.client_id, found.order.state, steps)

    async def _personal_fields(self, order: Order) -> tuple[str, ...] | str:
        try:
            personal = await open_personal(self._keys, order)
        except SealBroken:
            return "cannot be opened"
        return "erased" if personal is None else tuple(name for name, value in personal.items() if value)

    def _steps(self, found: Histories, fields: tuple[str, ...] | str) -> Iterator[Step]:
        """All events by position. Those of other orders on the same guards move the state and are not told."""
        order_id = found.order.id
        streams = found.empty_streams()
        order = streams[order_id]
        assert isinstance(order, Order)
        for position, event in found.everything():
            stream = streams[event.originator_id]
            told = stream is order or isinstance(stream, Notification) or getattr(event, "order_id", None) == order_id
            story = Story(position, order, found.window, found.redemption, found.promotions, fields)
            before = shown_state(stream)
            rule = rule_of(event, story) if told else None
            event.mutate(stream)
            if told:
                yield Step(
                    position=position,
                    stream=KINDS[type(stream)],
                    stream_id=stream.id,
                    version=event.originator_version,
                    topic=type(event).TOPIC,  # type: ignore[attr-defined]
                    name=type(event).__name__,
                    recorded_at=event.timestamp,
                    actor=event.actor,
                    correlation_id=event.correlation_id,
                    causation_id=event.causation_id,
                    sentence=sentence(event),
                    rule=rule,
                    gateway=self._said(event),
                    changes=changes(before, shown_state(stream)),
                )

    def _said(self, event: Stream.Event) -> GatewaySaid | None:
        """What the gateway said, where the event came from its answer or its details."""
        codes: GatewayCodes | None = getattr(event, "codes", None)
        if codes is None:
            return None
        found_by: Any = getattr(event, "found_by", None)
        return GatewaySaid(
            response_code=codes.response_code,
            response=RESPONSES.get(codes.response_code or ""),
            reason_code=codes.reason_code,
            reason_status=self._meaning(codes.reason_code) if codes.reason_code else None,
            message_code=codes.message_code,
            message_status=self._meaning(codes.message_code) if codes.message_code else None,
            avs_result=codes.avs_result,
            cvv_result=codes.cvv_result,
            found_by=found_by.value if found_by else None,
        )


async def with_seals(explanation: Explanation, seals: Seals) -> Explanation:
    """Each step with the earliest seal that covers it; none while no seal does."""
    covering = await seals.covering([step.position for step in explanation.steps])
    steps = (replace(step, seal=covering.get(step.position)) for step in explanation.steps)
    return replace(explanation, steps=tuple(steps))

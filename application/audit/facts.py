"""What checks and what-if need of each stored event, and no more: decoding this takes a tenth of the time of all of it.

Names and types are those of the events in `domain`; ids are their stored text. A field that is missing or of a wrong
type is refused; other fields are not looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import msgspec

from domain.duplicate_window import DuplicateWindow
from domain.order import Order
from domain.pricing import Line
from domain.promotion import Promotion, PromotionRedemption
from domain.stream import Stream

Aware = Annotated[datetime, msgspec.Meta(tz=True)]


class Fact(msgspec.Struct, gc=False):
    """Any event: when it was recorded, by whom, in which request."""

    timestamp: Aware
    actor: str
    correlation_id: str


class Requested(Fact):
    requester: str
    role: str
    designation: str | None
    client_id: int
    lines: tuple[Line, ...]
    subtotal_cents: int
    duplicate_window_id: str


class Refused(Fact):
    status: str
    rule: str
    promotion_id: str | None
    earlier_order_id: str | None


class PromotionApplied(Fact):
    promotion_id: str
    promotion_version: int
    code: str
    percent_off: int | None
    amount_off_cents: int | None
    designation: str | None
    redemption_id: str
    discounts_cents: tuple[int, ...]
    discount_cents: int
    total_cents: int


class PaymentAttempted(Fact):
    amount_cents: int


class PaymentCharged(Fact):
    transaction_id: str
    amount_cents: int


class Ended(Fact):
    """An ending of the attempt without a charge: the topic says which."""


class Submitted(Fact):
    total_cents: int


class Correction(Fact):
    """A void or a refund, asked for or done."""

    transaction_id: str
    amount_cents: int


class WindowOpened(Fact):
    order_id: str


class WindowClosed(Fact):
    order_id: str
    outcome: str
    blocked_until: Aware


class Terms(Fact):
    """Promotion created or changed."""

    code: str
    percent_off: int | None
    amount_off_cents: int | None
    designation: str | None
    starts_at: Aware | None
    ends_at: Aware | None


class Reserved(Fact):
    promotion_id: str
    holder: str
    order_id: str


class Redemption(Fact):
    """Redeemed or released."""

    order_id: str


def topic_of(event_class: type[Stream.Event]) -> str:
    topic: str = event_class.TOPIC  # type: ignore[attr-defined]
    return topic


_OF_EVENT: dict[type[Stream.Event], type[Fact]] = {
    Order.Requested: Requested,
    Order.Refused: Refused,
    Order.PromotionApplied: PromotionApplied,
    Order.PaymentAttempted: PaymentAttempted,
    Order.PaymentWaived: Fact,
    Order.PaymentCharged: PaymentCharged,
    Order.PaymentDeclined: Ended,
    Order.PaymentFailed: Ended,
    Order.PaymentNotSent: Ended,
    Order.PaymentExpired: Ended,
    Order.PaymentOutcomeUnknown: Fact,
    Order.PaymentHeld: Fact,
    Order.Submitted: Submitted,
    Order.VoidRequested: Correction,
    Order.RefundRequested: Correction,
    Order.PaymentVoided: Correction,
    Order.PaymentRefunded: Correction,
    DuplicateWindow.Opened: WindowOpened,
    DuplicateWindow.Closed: WindowClosed,
    Promotion.Created: Terms,
    Promotion.Changed: Terms,
    Promotion.Deactivated: Fact,
    PromotionRedemption.Reserved: Reserved,
    PromotionRedemption.Redeemed: Redemption,
    PromotionRedemption.Released: Redemption,
}

SHAPES = {topic_of(event_class): shape for event_class, shape in _OF_EVENT.items()}
_DECODERS = {shape: msgspec.json.Decoder(shape).decode for shape in {Fact, *SHAPES.values()}}


def reader_of(topic: str) -> Callable[[bytes], Any]:
    """Decodes the stored state of such an event into its shape. The reader raises one of UNREADABLE."""
    return _DECODERS[SHAPES.get(topic, Fact)]


def read_any(state: bytes) -> Fact:
    """What all events have in common. Raises one of UNREADABLE."""
    fact: Fact = _DECODERS[Fact](state)
    return fact

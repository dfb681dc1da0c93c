"""The compact state that a replay keeps of each stream while the log passes by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from domain.pricing import Line
from domain.promotion import PromotionTerms


class StoredRow(NamedTuple):
    """A stored event: its position, its stream's id as text, its version, its topic, its bytes."""

    position: int
    stream_id: str
    version: int
    topic: str
    state: bytes


@dataclass(frozen=True)
class Mismatch:
    """Something in the log that contradicts the rules or itself: where, which check, what it says and what is right."""

    position: int
    stream_id: str
    version: int
    topic: str
    check: str  # a slug, see CHECKS in replaying.py
    recorded: str
    expected: str


class StreamState:
    """Any stream: how far it has come."""

    __slots__ = ("position", "version")

    def __init__(self) -> None:
        self.version = 0
        self.position = 0  # of its last event

    @property
    def settled(self) -> bool:
        """Nothing more is expected of it, so that it may be forgotten and looked up again if something comes."""
        return True


class OrderState(StreamState):
    """`stage`: requested, refused, open, charged or waived (to be submitted next), submitted, ended."""

    __slots__ = (
        "by_application",
        "corrections",
        "designation",
        "guards_checked",
        "kept",
        "lines",
        "promotion_id",
        "redemption",
        "redemption_id",
        "stage",
        "state",
        "subtotal_cents",
        "total_cents",
        "window",
        "window_id",
    )

    def __init__(self) -> None:
        super().__init__()
        self.stage = ""
        self.state = ""  # in the words of the API
        self.lines: tuple[Line, ...] = ()
        self.subtotal_cents = self.total_cents = 0
        self.designation: str | None = None
        self.by_application = False
        self.window_id = ""
        self.redemption_id: str | None = None
        self.promotion_id: str | None = None
        self.kept: str | None = None  # the transaction that the order keeps
        self.corrections: dict[str, int] | None = None  # cents asked back, by transaction
        self.window: str | None = None  # opened, closed: what its duplicate window said of it last
        self.redemption: str | None = None  # reserved, redeemed, released
        self.guards_checked = False

    @property
    def settled(self) -> bool:
        return self.stage in ("refused", "submitted", "ended")


class WindowState(StreamState):
    __slots__ = ("blocked_until", "is_open", "order_id")

    def __init__(self) -> None:
        super().__init__()
        self.order_id: str | None = None
        self.is_open = False
        self.blocked_until: datetime | None = None

    @property
    def settled(self) -> bool:
        return not self.is_open


class RedemptionState(StreamState):
    __slots__ = ("held_by", "holder", "promotion_id", "redeemed")

    def __init__(self) -> None:
        super().__init__()
        self.promotion_id = self.holder = ""
        self.held_by: str | None = None
        self.redeemed = False

    @property
    def settled(self) -> bool:
        return self.redeemed or self.held_by is None


class PromotionState(StreamState):
    """All versions of the terms, and when each was superseded. Kept for good: there are few."""

    __slots__ = ("superseded_at", "terms")

    def __init__(self) -> None:
        super().__init__()
        self.terms: dict[int, PromotionTerms] = {}
        self.superseded_at: dict[int, datetime] = {}

    @property
    def settled(self) -> bool:
        return False

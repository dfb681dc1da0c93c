"""Folds the stored log, one event after the other, and compares what it says with the rules and with itself.

Reads each event once, keeps a compact state per stream, and forgets streams of which nothing more is expected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from application.audit import facts, guard_checks, order_checks
from application.audit.state import (
    Mismatch,
    OrderState,
    PromotionState,
    RedemptionState,
    StoredRow,
    StreamState,
    WindowState,
)
from application.event_codec import event_classes_of
from domain.duplicate_window import DuplicateWindow
from domain.order import Order
from domain.promotion import Promotion, PromotionRedemption
from domain.stream import UNREADABLE, Stream

MOST_KEPT = 200_000  # streams in memory, before those that have settled are forgotten
MOST_SHOWN = 100  # mismatches in full; the rest is counted


Take = Callable[[Any, Any, "LogCheck", StoredRow], None]
"""Takes a stream's state and its next fact: checks the fact, then applies it."""

Recall = Callable[[Sequence[str], int], Iterable[StoredRow]]
"""The events of streams before a position, by version within each stream."""


class Listener(NamedTuple):
    """What is done with one topic."""

    read: Callable[[bytes], Any]
    state: type[StreamState]
    take: Take | None


class LogCheck:
    """One pass over a log; with `whole=False` over the streams of one order, and nothing is known of other orders."""

    def __init__(self, topics: Iterable[str], recall: Recall | None = None, *, whole: bool = True) -> None:
        self.whole = whole
        self.events = self.orders = self.mismatches = 0
        self.shown: list[Mismatch] = []
        self.position = 0
        self.quiet = False  # what comes now was checked before, and only brings back what was forgotten
        self.states: Counter[str] = Counter()  # orders by state
        self.charged_cents = self.kept_cents = 0
        self.streams: dict[str, StreamState] = {}
        self.promotions: dict[str, PromotionState] = {}
        self.used: dict[str, set[str]] = {}  # by promotion: who has redeemed it
        self._recall = recall
        self._listeners = _listeners(topics)

    # --- the pass -----------------------------------------------------------------------------------------------------

    def page(self, rows: Sequence[StoredRow]) -> None:
        """The next events of the log."""
        if not rows:
            return
        if self._recall is not None:
            self._remember(rows)
        for row in rows:
            self.take(row)
        if len(self.streams) > MOST_KEPT:
            self._forget(before=rows[0].position)

    def take(self, row: StoredRow) -> None:
        """One event."""
        position, stream_id, version, topic, state = row
        listener = self._listeners.get(topic)
        if listener is None:
            self.differs(row, "known-topic", topic, "a topic of this version")
            return
        read, kind, take = listener
        stream = self.streams.get(stream_id)
        if stream is None:
            stream = self.streams[stream_id] = kind()
            if kind is PromotionState:
                self.promotions[stream_id] = cast("PromotionState", stream)
        if not self.quiet:
            self.events += 1
            self.position = position
        if version != stream.version + 1:
            self.differs(row, "versions", version, stream.version + 1)
        stream.version, stream.position = version, position
        if take is None:
            return
        if type(stream) is not kind:
            self.differs(row, "one-kind-per-stream", topic, "an event of the kind that the stream began with")
            return
        try:
            fact = read(state)
        except UNREADABLE as error:
            self.differs(row, "readable", type(error).__name__, "a state that its topic promises")
            return
        take(stream, fact, self, row)

    def finish(self) -> None:
        """The end of the log, where a commit ends: every order's guards stand as the order does."""
        for stream_id, stream in self.streams.items():
            if isinstance(stream, OrderState):
                self._check_guards(stream_id, stream)

    def differs(self, row: StoredRow, check: str, recorded: object, expected: object) -> None:
        if self.quiet:
            return
        self.mismatches += 1
        if len(self.shown) < MOST_SHOWN:
            self.shown.append(
                Mismatch(row.position, row.stream_id, row.version, row.topic, check, str(recorded), str(expected))
            )

    @property
    def first(self) -> Mismatch | None:
        return min(self.shown, key=lambda mismatch: mismatch.position, default=None)

    # --- memory -------------------------------------------------------------------------------------------------------

    def _remember(self, rows: Sequence[StoredRow]) -> None:
        """Streams of this page that were forgotten: brought back in one query."""
        assert self._recall is not None
        known = self.streams
        wanted = {row.stream_id for row in rows if row.version > 1 and row.stream_id not in known}
        wanted -= {row.stream_id for row in rows if row.version == 1}
        if not wanted:
            return
        self.quiet = True
        for row in self._recall(sorted(wanted), rows[0].position - 1):
            self.take(row)
        self.quiet = False

    def _forget(self, before: int) -> None:
        """Settled streams go. One that the last page touched stays: its commit may go on in the next one."""
        gone = [key for key, stream in self.streams.items() if stream.position < before and stream.settled]
        for key in gone:
            stream = self.streams.pop(key)
            if isinstance(stream, OrderState):
                self._check_guards(key, stream)

    def _check_guards(self, stream_id: str, order: OrderState) -> None:
        if not order.guards_checked:
            order.guards_checked = True
            order_checks.check_guards(self, stream_id, order)


def _listeners(topics: Iterable[str]) -> dict[str, Listener]:
    found = {topic: Listener(facts.read_any, StreamState, None) for topic in topics}
    kinds: tuple[tuple[type[Stream], type[StreamState], Mapping[str, Take]], ...] = (
        (Order, OrderState, order_checks.TAKES),
        (DuplicateWindow, WindowState, guard_checks.WINDOW),
        (PromotionRedemption, RedemptionState, guard_checks.REDEMPTION),
        (Promotion, PromotionState, guard_checks.PROMOTION),
    )
    for aggregate, state, takes in kinds:
        for topic in map(facts.topic_of, event_classes_of(aggregate)):
            found[topic] = Listener(facts.reader_of(topic), state, takes.get(topic))
    return found

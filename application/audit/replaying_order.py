"""Replays one order with its duplicate window, its promotion and its redemption."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from application.audit.checking import LogCheck
from application.audit.replaying import Cut, Scan, same_commit
from application.audit.state import Mismatch, StoredRow
from application.event_codec import EventCodec
from application.order_view import order_view
from domain.order import Order
from domain.pricing import discounts_cents, subtotal_cents


@dataclass(frozen=True)
class Total:
    """A sum as it was recorded, and as it follows from the priced lines and the promotion's terms of that moment."""

    name: str
    recorded_cents: int
    recomputed_cents: int | None  # None where those terms are not in the log


@dataclass(frozen=True)
class OrderReplay:
    """The order as it was recorded then."""

    order: dict[str, Any]  # the view `default`, without the client's name
    position: int  # of the last event that was taken in
    events: int  # of the order
    totals: tuple[Total, ...]
    mismatches: tuple[Mismatch, ...]

    @property
    def consistent(self) -> bool:
        return not self.mismatches


def replay_order(scan: Scan, codec: EventCodec, order_id: UUID, cut: Cut) -> OrderReplay | None:
    """The order up to the cut; None where there was none yet. Raises CorruptEvent, UnknownTopic."""
    rows = _cut(list(scan.streams([str(order_id)])), cut)
    order = Order.empty(order_id)
    for row in rows:
        codec.decode(StoredEvent(order_id, row.version, row.topic, row.state)).mutate(order)
    if order.requested is None:
        return None
    last = rows[-1]
    related = sorted(_related(scan, order), key=lambda row: row.position)
    before = [row for row in related if row.position < last.position]
    after = [row for row in related if row.position > last.position]
    log = LogCheck(codec.topics, whole=False)
    log.page(sorted([*rows, *before, *same_commit(last, after)]))
    log.finish()
    view = order_view(order, None)
    del view["client"]["name"]
    return OrderReplay(view, last.position, len(rows), tuple(_totals(order, log)), tuple(log.shown))


def _cut(rows: list[StoredRow], cut: Cut) -> list[StoredRow]:
    end = next((index for index, row in enumerate(rows) if cut.excludes(row)), len(rows))
    if cut.at is None and 0 < end < len(rows):
        end += sum(1 for _ in same_commit(rows[end - 1], rows[end:]))
    return rows[:end]


def _related(scan: Scan, order: Order) -> Iterable[StoredRow]:
    assert order.requested is not None
    streams = [str(order.requested.duplicate_window_id)]
    if order.promotion is not None:
        streams += [str(order.promotion.redemption_id), str(order.promotion.promotion_id)]
    return scan.streams(streams)


def _totals(order: Order, log: LogCheck) -> Iterable[Total]:
    requested, applied = order.requested, order.promotion
    assert requested is not None
    subtotal = subtotal_cents(requested.lines)
    discount: int | None = 0
    if applied is not None:
        promotion = log.promotions.get(str(applied.promotion_id))
        terms = promotion.terms.get(applied.promotion_version) if promotion else None
        discount = sum(discounts_cents(requested.lines, terms)) if terms else None
    total = None if discount is None else subtotal - discount
    yield Total("subtotal_cents", requested.subtotal_cents, subtotal)
    yield Total("discount_cents", applied.discount_cents if applied else 0, discount)
    yield Total("total_cents", order.total_cents, total)
    if order.payment is not None:
        yield Total("payment.amount_cents", order.payment.amount_cents, total)

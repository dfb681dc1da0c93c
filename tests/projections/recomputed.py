"""The reports once more, by going over the orders one by one: slow, plain, and with no code of the read models."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from domain.order import Order
from domain.order_events import OrderState
from domain.stream import Stream


class Reports:
    """Everything that a log says."""

    def __init__(self, log: Sequence[Stream.Event]) -> None:
        self.events: defaultdict[UUID, list[Stream.Event]] = defaultdict(list)
        self.orders: dict[UUID, Order] = {}
        for event in log:
            self.events[event.originator_id].append(event)
            if isinstance(event, Order.Event):
                order = self.orders.setdefault(event.originator_id, Order.empty(event.originator_id))
                event.mutate(order)

    def day_of(self, order: Order, kind: type[Stream.Event], transaction_id: str | None = None) -> date | None:
        """The day of the first such event."""
        for event in self.events[order.id]:
            if isinstance(event, kind) and transaction_id in (None, getattr(event, "transaction_id", None)):
                return event.timestamp.date()
        return None

    def returned_on(self, order: Order) -> date | None:
        if order.state not in (OrderState.VOIDED, OrderState.REFUNDED) or order.payment is None:
            return None
        kind = Order.PaymentVoided if order.state is OrderState.VOIDED else Order.PaymentRefunded
        return self.day_of(order, kind, order.payment.transaction_id)

    def revenue(self, dimension: str) -> dict[tuple[date, str], list[int]]:
        """Charges, charged, returns and returned cents by day and value."""
        cells: defaultdict[tuple[date, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        for order in self.orders.values():
            charged = self.day_of(order, Order.PaymentCharged)
            for day, first in ((charged, 0), (self.returned_on(order), 2)):
                for value, cents in _parts(order, dimension) if day else ():
                    assert day is not None
                    cells[day, value][first] += 1
                    cells[day, value][first + 1] += cents
        return dict(cells)

    def conversion(self) -> dict[date, Counter[str]]:
        """Orders at each step by the day of their request."""
        days: defaultdict[date, Counter[str]] = defaultdict(Counter)
        steps: dict[type[Stream.Event], str] = {
            Order.Requested: "requested", Order.PaymentCharged: "charged", Order.PaymentWaived: "waived",
            Order.Submitted: "submitted", Order.Refused: "refused", Order.PaymentDeclined: "declined",
            Order.PaymentFailed: "failed", Order.PaymentNotSent: "not_sent", Order.PaymentExpired: "expired",
        }  # fmt: skip
        for order in self.orders.values():
            day = self.day_of(order, Order.Requested)
            assert day is not None
            days[day].update(steps[type(event)] for event in self.events[order.id] if type(event) in steps)
        return dict(days)

    def promotion_use(self) -> dict[UUID, Counter[str]]:
        """Over all days."""
        used: defaultdict[UUID, Counter[str]] = defaultdict(Counter)
        for order in self.orders.values():
            if order.promotion is None:
                continue
            use = used[order.promotion.promotion_id]
            use["reserved"] += 1
            if order.submitted_at is not None:
                use["redeemed"] += 1
                if self.returned_on(order):
                    use["taken_back"] += 1
                else:
                    use["discount_cents"] += order.promotion.discount_cents
                    use["revenue_cents"] += order.total_cents
            elif order.has_ended:
                use["released"] += 1
        return dict(used)

    def payments(self) -> dict[UUID, tuple[Any, ...]]:
        return {
            order.id: (
                order.payment.state.value, order.payment.reason, order.payment.amount_cents,
                order.payment.transaction_id, order.payment.authorization_code, order.payment.last4,
            )
            for order in self.orders.values()
            if order.payment is not None
        }  # fmt: skip

    def corrections(self) -> dict[tuple[UUID, str], tuple[str, int, bool]]:
        return {
            (order.id, transaction_id): (found.state.value, found.amount_cents, found.unexpected)
            for order in self.orders.values()
            for transaction_id, found in order.corrections.items()
        }

    def deliveries(self) -> dict[tuple[UUID, str], tuple[str, str | None, str | None]]:
        return {
            (order.id, email_id): (found.status, found.message_id, found.reason)
            for order in self.orders.values()
            for email_id, found in order.deliveries.items()
        }

    def summaries(self) -> dict[UUID, tuple[Any, ...]]:
        return {
            order.id: (
                order.state and order.state.value, order.total_cents, order.number,
                order.email_state and order.email_state.value, order.submitted_at,
                order.promotion.code if order.promotion else None,
            )
            for order in self.orders.values()
        }  # fmt: skip


def _parts(order: Order, dimension: str) -> list[tuple[str, int]]:
    assert order.requested is not None
    if dimension == "service":
        discounts = order.promotion.discounts_cents if order.promotion else (0,) * len(order.requested.lines)
        pairs = zip(order.requested.lines, discounts, strict=True)
        return [(line.slug, line.base_price_cents - discount) for line, discount in pairs]
    value = {
        "day": "",
        "promotion": order.promotion.code if order.promotion else "",
        "designation": order.requested.designation or "",
    }[dimension]
    return [(value, order.total_cents)]

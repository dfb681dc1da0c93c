"""The aggregates and the application of the obvious build, as the tutorial of eventsourcing shows them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.domain import Aggregate, event


class Order(Aggregate):
    @event("Requested")
    def __init__(self, user: str, lines: list[dict[str, Any]], personal: dict[str, Any]) -> None:
        self.user = user
        self.lines = lines
        self.personal = personal
        self.discount_cents = 0
        self.state = "requested"

    @property
    def total_cents(self) -> int:
        return int(sum(line["price_cents"] for line in self.lines)) - self.discount_cents

    @event("PromotionApplied")
    def apply_promotion(self, code: str, discount_cents: int) -> None:
        self.code = code
        self.discount_cents = discount_cents

    @event("PaymentAttempted")
    def attempt_payment(self, invoice_number: str, amount_cents: int, payment_profile_id: str) -> None:
        self.invoice_number = invoice_number
        self.state = "payment_open"

    @event("PaymentCharged")
    def record_charge(self, transaction_id: str, authorization_code: str, amount_cents: int) -> None:
        self.transaction_id = transaction_id

    @event("Submitted")
    def submit(self, submitted_at: datetime) -> None:
        self.state = "submitted"

    @event("EmailSent")
    def record_email(self, message_id: str, status: str) -> None:
        self.email = status


class PromotionRedemption(Aggregate):
    @event("Reserved")
    def __init__(self, code: str, user: str, order_id: UUID) -> None:
        self.order_id = order_id

    @staticmethod
    def create_id(code: str, user: str, order_id: UUID) -> UUID:
        return uuid5(NAMESPACE_URL, f"/redemptions/{code}/{user}")

    @event("Redeemed")
    def redeem(self) -> None:
        self.redeemed = True


class DuplicateWindow(Aggregate):
    @event("Opened")
    def __init__(self, thing: str, order_id: UUID) -> None:
        self.order_id = order_id
        self.blocked_until: datetime | None = None

    @staticmethod
    def create_id(thing: str, order_id: UUID) -> UUID:
        return uuid5(NAMESPACE_URL, f"/windows/{thing}")

    @event("Closed")
    def close(self, blocked_until: datetime) -> None:
        self.blocked_until = blocked_until


class Orders(Application[UUID]):
    """Three saves of three aggregates, on the library's own recorder."""

    def find(self, aggregate_id: UUID) -> bool:
        try:
            self.repository.get(aggregate_id)
        except AggregateNotFoundError:
            return False
        return True

    def request(
        self, user: str, code: str, thing: str, lines: list[dict[str, Any]], personal: dict[str, Any], invoice: str
    ) -> tuple[Order, PromotionRedemption, DuplicateWindow]:
        """T1. Raises ValueError for a duplicate and for a used promotion."""
        order = Order(user, lines, personal)
        if self.find(DuplicateWindow.create_id(thing, order.id)):
            raise ValueError("duplicate-payment")
        if self.find(PromotionRedemption.create_id(code, user, order.id)):
            raise ValueError("promotion-expended")
        order.apply_promotion(code, order.total_cents // 10)
        order.attempt_payment(invoice, order.total_cents, "800000001")
        redemption, window = PromotionRedemption(code, user, order.id), DuplicateWindow(thing, order.id)
        self.save(order, redemption, window)
        return order, redemption, window

    def charged(
        self, order: Order, redemption: PromotionRedemption, window: DuplicateWindow, transaction_id: str, code: str
    ) -> None:
        """T2."""
        now = datetime.now(UTC)
        order.record_charge(transaction_id, code, order.total_cents)
        order.submit(now)
        redemption.redeem()
        window.close(now + timedelta(seconds=120))
        self.save(order, redemption, window)

    def emailed(self, order: Order, message_id: str, status: str) -> None:
        """T3."""
        order.record_email(message_id, status)
        self.save(order)

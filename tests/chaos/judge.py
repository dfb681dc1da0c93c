"""The promises, held against the vendors' own ledgers. What the log says is a claim; the ledgers say what happened."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from api.sandbox.authorizenet.codes import HELD_STATUSES
from domain.order import Order
from domain.order_events import OrderState
from tests.chaos.history import History

PAID = {"action-successful", "mandrill-email-failed"}
NOT_PAID = {
    "declined-payment",
    "card-number-invalid",
    "card-expired",
    "failed-payment",
    "invalid-payment-processor-api-keys",
    "invalid-promotion",
    "promotion-expended",
}
NOT_PAID_DETAILS = {"gateway-unreachable", "gateway-error", "not-sent-in-time", "payment-expired"}
_NOTHING_KEPT = {"declined", "voided", "expired", "failedReview"}


@dataclass(frozen=True)
class Told:
    """One answer that a client got."""

    key: str | None  # its Idempotency-Key
    code: int
    status: str
    detail: str | None
    order_id: UUID | None


@dataclass(frozen=True)
class Violation:
    """A promise that was broken; by which order, where it is known."""

    what: str
    order_id: UUID | None = None


@dataclass(frozen=True)
class Evidence:
    """All that is known once everything is resolved."""

    history: History
    transactions: Sequence[Mapping[str, Any]]  # of the gateway's ledger
    messages: Sequence[Mapping[str, Any]]  # of the mail provider's ledger
    told: Sequence[Told]
    recipients: Mapping[int, Sequence[str]]  # of each client
    duplicate_window_s: int

    def kept(self) -> list[Mapping[str, Any]]:
        """Charges whose money the merchant still has, or would have."""
        refunded: Counter[str] = Counter()
        for row in self.transactions:
            if row["refTransId"] and row["status"] not in _NOTHING_KEPT:
                refunded[row["refTransId"]] += row["amount_cents"]
        return [
            row
            for row in self.transactions
            if row["type"] == "authCaptureTransaction"
            and row["status"] not in _NOTHING_KEPT
            and row["amount_cents"] > refunded[row["transId"]]
        ]

    def transactions_of(self, order: Order) -> list[Mapping[str, Any]]:
        """The gateway's rows that carry an invoice number of the order."""
        number = order.payment.invoice_number if order.payment else None
        return [row for row in self.transactions if number and row["invoiceNumber"] == number]


def violations(evidence: Evidence) -> list[Violation]:
    """Every broken promise; none is what we want."""
    kept_by_order: defaultdict[UUID, list[Mapping[str, Any]]] = defaultdict(list)
    by_invoice = {
        order.payment.invoice_number: order.id
        for order in evidence.history.orders.values()
        if order.payment and order.payment.invoice_number
    }
    found: list[Violation] = []
    for row in evidence.kept():
        order_id = by_invoice.get(row["invoiceNumber"])
        if order_id is None:
            found.append(Violation(f"a kept charge that no order names: {row['transId']}"))
        else:
            kept_by_order[order_id].append(row)
    for order in evidence.history.orders.values():
        found += (Violation(what, order.id) for what in _order_faults(order, kept_by_order[order.id]))
    found += _refund_faults(evidence)
    found += _guard_faults(evidence.history)
    found += _promotion_faults(evidence.history)
    found += _window_faults(evidence, kept_by_order)
    found += _email_faults(evidence)
    found += _answer_faults(evidence, kept_by_order)
    return found


def _order_faults(order: Order, kept: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if order.state in (None, OrderState.PAYMENT_OPEN, OrderState.PAYMENT_HELD):
        yield f"its payment is still open: {order.state}"
    if order.open_corrections:
        yield "money is still to be taken back"
    if len(kept) > 1:
        yield f"{len(kept)} kept charges"
    if any(row["status"] in HELD_STATUSES for row in kept):
        yield "a held transaction is left at the gateway"
    submitted = order.state is OrderState.SUBMITTED
    if kept and not submitted:
        yield f"a kept charge, but the order is {order.state}"
    if submitted and order.total_cents and not kept:
        yield "submitted without a kept charge"
    if submitted and order.payment and kept:
        told = (order.payment.transaction_id, order.payment.amount_cents, order.total_cents)
        if any((row["transId"], row["amount_cents"], row["amount_cents"]) != told for row in kept):
            yield "submitted with another charge, or another amount, than the one kept"


def _refund_faults(evidence: Evidence) -> Iterator[Violation]:
    charged = {row["transId"]: row["amount_cents"] for row in evidence.transactions if not row["refTransId"]}
    refunded: Counter[str] = Counter()
    for row in evidence.transactions:
        if row["refTransId"] and row["status"] not in _NOTHING_KEPT:
            refunded[row["refTransId"]] += row["amount_cents"]
    for transaction_id, cents in refunded.items():
        if cents > charged.get(transaction_id, 0):
            yield Violation(f"more refunded than charged: {transaction_id}")


def _guard_faults(history: History) -> Iterator[Violation]:
    for window in history.windows.values():
        if window.is_open:
            yield Violation("its duplicate window is still open", window.order_id)
    for redemption in history.redemptions.values():
        if redemption.held_by is None:
            continue
        if not redemption.redeemed:
            yield Violation("its promotion is still reserved", redemption.held_by)
        elif history.orders[redemption.held_by].submitted_at is None:
            yield Violation("its promotion is redeemed, but it was never submitted", redemption.held_by)


def _promotion_faults(history: History) -> Iterator[Violation]:
    used: set[tuple[UUID, str]] = set()
    for order in history.orders.values():
        if order.promotion is None or order.state is not OrderState.SUBMITTED:
            continue
        assert order.requested is not None
        by_application = order.requested.role == "application"
        user = f"client:{order.requested.client_id}" if by_application else order.requested.requester
        use = (order.promotion.promotion_id, user)
        if use in used:
            yield Violation(f"{user} has used promotion {order.promotion.code} twice", order.id)
        used.add(use)


def _window_faults(evidence: Evidence, kept: Mapping[UUID, Sequence[Mapping[str, Any]]]) -> Iterator[Violation]:
    """The same thing was not paid twice within the window, by the gateway's clock."""
    paid: defaultdict[UUID, list[tuple[datetime, UUID]]] = defaultdict(list)
    for order_id, rows in kept.items():
        requested = evidence.history.orders[order_id].requested
        assert requested is not None
        paid[requested.duplicate_window_id] += [(datetime.fromisoformat(row["submitted_at"]), order_id) for row in rows]
    for times in paid.values():
        times.sort()
        for (earlier, _), (later, order_id) in pairwise(times):
            if later - earlier < timedelta(seconds=evidence.duplicate_window_s):
                yield Violation(f"the same thing was paid twice within {later - earlier}", order_id)


def _email_faults(evidence: Evidence) -> Iterator[Violation]:
    orders = evidence.history.orders
    sent: Counter[tuple[str, str]] = Counter()
    for message in evidence.messages:
        order_id = message["metadata"]["order_id"]
        sent[order_id, message["email"]] += 1
        order = orders.get(UUID(order_id))
        if order is None or order.submitted_at is None:
            yield Violation(f"a confirmation of an order that was not submitted: {order_id}")
    for order in orders.values():
        if order.state is OrderState.SUBMITTED:
            assert order.requested is not None
            for recipient in evidence.recipients[order.requested.client_id]:
                if not sent[str(order.id), recipient]:
                    yield Violation("a recipient has no confirmation", order.id)


def _answer_faults(evidence: Evidence, kept: Mapping[UUID, Sequence[Mapping[str, Any]]]) -> Iterator[Violation]:
    """No client was told what the ledgers deny."""
    by_key: dict[str, UUID] = {}
    for told in evidence.told:
        if told.order_id is None:
            if told.status in PAID:
                yield Violation(f"told {told.status} without an order")
            continue
        order = evidence.history.orders.get(told.order_id)
        if order is None:
            yield Violation(f"told {told.status} of an order that is not in the log", told.order_id)
            continue
        unpaid = order.state is not OrderState.SUBMITTED or (order.total_cents and not kept[order.id])
        if told.status in PAID and unpaid:
            yield Violation(f"told {told.status}, but it is not paid and submitted", order.id)
        if (told.status in NOT_PAID or told.detail in NOT_PAID_DETAILS) and kept[order.id]:
            yield Violation(f"told {told.status} ({told.detail}), but the charge is kept", order.id)
        if told.key and told.status != "duplicate-payment" and by_key.setdefault(told.key, order.id) != order.id:
            yield Violation("one idempotency key has two orders", order.id)

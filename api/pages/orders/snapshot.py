"""An order at one moment in the words that a reader compares, and how the console writes values of the log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from markupsafe import Markup

from api.pages.formatting import NOTHING, duration, money, time, words
from domain.order import Order
from domain.order_events import OrderState


def snapshot(order: Order) -> dict[str, str]:
    """Label → text, without personal data; what is not there yet is left out."""
    if order.requested is None:
        return {}
    shown: dict[str, str | None] = {
        "Order": words(order.state) if order.state else "requested",
        "To pay": money(order.total_cents, order.requested.currency),
        "Promotion": order.promotion.code if order.promotion else None,
        "Discount": money(order.promotion.discount_cents) if order.promotion else None,
        **_payment(order),
        **{
            f"Taking back {transaction_id}": f"{words(correction.state)}, {money(correction.amount_cents)}"
            for transaction_id, correction in order.corrections.items()
        },
        "Submitted": plain(time(order.submitted_at)) if order.submitted_at else None,
        "Confirmation": words(order.email_state) if order.email_state else None,
        "Recipients reached": _reached(order),
        "Tries of the outbox": str(order.email_attempts) if order.email_attempts else None,
    }
    return {label: text for label, text in shown.items() if text is not None}


def label(field: str) -> str:
    """A field's path as words; its unit is in the value."""
    return words(field.removesuffix("_cents").removesuffix("_s").replace(".", " "))


def written(name: str, value: Any) -> str:
    """A value of a field or of a rule's input: cents as money, times with their zone."""
    if value in (None, "", [], (), {}):
        return NOTHING
    match value:
        case bool():
            return "yes" if value else "no"
        case int() if name.endswith("_cents"):
            return money(value)
        case int() | float() if name.endswith("_s"):
            return duration(value)
        case list() | tuple():
            return "; ".join(written(name, inner) for inner in value)
        case dict():
            return ", ".join(f"{label(inner)} {written(inner, held)}" for inner, held in value.items())
        case str() if name.endswith(("_at", "now", "until")):
            return _instant(value)
        case OrderState():
            return words(value)
    return str(value)


def _payment(order: Order) -> dict[str, str | None]:
    payment = order.payment
    if payment is None:
        return {}
    return {
        "Payment": words(payment.state),
        "Why": words(payment.reason) if payment.reason else None,
        "Card": f"{payment.brand} ending in {payment.last4}" if payment.last4 else None,
        "Invoice number": payment.invoice_number,
        "Transaction": payment.transaction_id,
        "Authorization code": payment.authorization_code,
    }


def _reached(order: Order) -> str | None:
    if not order.deliveries:
        return None
    return f"{sum(delivery.succeeded for delivery in order.deliveries.values())} of {len(order.deliveries)}"


def _instant(text: str) -> str:
    try:
        return plain(time(datetime.fromisoformat(text)))
    except ValueError:
        return text


def plain(shown: Markup | str) -> str:
    """Without the tags, for texts."""
    return shown.striptags() if isinstance(shown, Markup) else shown

"""An order as readers see it: the views `default`, `order_read` and `order_receipt`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from application.times import id_text, utc_text
from domain.order import Order

VIEWS = ("default", "order_read", "order_receipt")


def order_view(order: Order, personal: Mapping[str, Any] | None, view: str = "default") -> dict[str, Any]:
    """The order in the named view. `personal` is None once the person has been erased."""
    assert order.requested is not None
    requested, promotion = order.requested, order.promotion
    personal = personal or {}
    shown: dict[str, Any] = {
        "id": id_text(order.id),
        "number": order.number,
        "state": order.state,
        "client": {"id": requested.client_id, "name": personal.get("client_name")},
        "lines": _lines(order),
        "subtotal_cents": requested.subtotal_cents,
        "discount_cents": promotion.discount_cents if promotion else 0,
        "total_cents": order.total_cents,
        "currency": requested.currency,
        "promotion": {"code": promotion.code, "discount_cents": promotion.discount_cents} if promotion else None,
        "payment": _payment(order),
        "email": {"state": order.email_state} if order.email_state else None,
        "requested_at": utc_text(requested.timestamp),
        "submitted_at": utc_text(order.submitted_at) if order.submitted_at else None,
        "version": order.version,
    }
    if view == "order_read":
        shown |= _read_fields(personal)
    elif view == "order_receipt":
        address = (personal.get("property_info") or {}).get("address")
        shown["property"] = {"address": address} if address else None
        del shown["version"], shown["email"]
    return shown


def _lines(order: Order) -> list[dict[str, Any]]:
    assert order.requested is not None
    lines = order.requested.lines
    discounts = order.promotion.discounts_cents if order.promotion else (0,) * len(lines)
    return [
        {
            "slug": line.slug,
            "name": line.name,
            "kind": line.kind,
            "quantity": line.quantity,
            "base_price_cents": line.base_price_cents,
            "discount_cents": discount,
            "net_price_cents": line.base_price_cents - discount,
        }
        for line, discount in zip(lines, discounts, strict=True)
    ]


def _payment(order: Order) -> dict[str, Any] | None:
    payment = order.payment
    if payment is None:
        return None
    return {
        "state": payment.state,
        "reason": payment.reason,
        "payment_method_id": payment.payment_method_id,
        "brand": payment.brand,
        "last4": payment.last4,
        "amount_cents": payment.amount_cents,
        "invoice_number": payment.invoice_number,
        "transaction_id": payment.transaction_id,
        "authorization_code": payment.authorization_code,
    }


def _read_fields(personal: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "property": personal.get("property_info"),
        "property_access": personal.get("property_access"),
        "appointments": personal.get("appointments", []),
        "instructions": {
            "services": personal.get("service_instructions", {}),
            "notes": personal.get("notes"),
        },
        "metadata": personal.get("metadata", {}),
    }

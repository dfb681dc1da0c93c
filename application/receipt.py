"""The confirmation email of an order: subject, text and HTML from the view `order_receipt`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

ADDRESS_FIELDS: Final = ("street", "street2", "city", "province", "postal_code")

_PAGE: Final = "margin:0;padding:24px 12px;background:#f3f4f6;font:16px/1.5 Helvetica,Arial,sans-serif;color:#1f2937"
_CARD: Final = "max-width:560px;margin:0 auto;padding:24px;background:#ffffff;border-radius:8px"
_TABLE: Final = "width:100%;border-collapse:collapse;margin:16px 0"
_CELL: Final = "padding:8px 0;border-top:1px solid #e5e7eb;text-align:left;vertical-align:top"
_AMOUNT: Final = (
    "padding:8px 0 8px 16px;border-top:1px solid #e5e7eb;text-align:right;white-space:nowrap;vertical-align:top"
)
_SMALL: Final = "margin:16px 0 0;font-size:14px;color:#6b7280"


@dataclass(frozen=True)
class Receipt:
    """One message for every recipient of the order."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class _Said:
    """What both renderings say, in plain text."""

    number: str
    greeting: str
    lines: Sequence[tuple[str, str]]
    sums: Sequence[tuple[str, str]]
    payment: str
    address: Sequence[str]


def render_receipt(order: Mapping[str, Any]) -> Receipt:
    """Render an order in the view `order_receipt`. The amounts are integer cents."""
    said = _Said(
        number=_line(order["number"]),
        greeting=_greeting(order),
        lines=_line_rows(order),
        sums=_sum_rows(order),
        payment=_payment(order),
        address=_address(order),
    )
    return Receipt(subject=f"Order {said.number} is confirmed", text=_text(said), html=_html(said))


def money(amount_cents: int, currency: str) -> str:
    """$1,166.50, or 1,166.50 CAD; a minus stands in front."""
    whole, cents = divmod(abs(amount_cents), 100)
    sign = "-" if amount_cents < 0 else ""
    return f"{sign}${whole:,}.{cents:02d}" if currency == "USD" else f"{sign}{whole:,}.{cents:02d} {currency}"


def _text(said: _Said) -> str:
    parts = [
        f"{said.greeting}\n\nThank you. Order {said.number} is confirmed.",
        "\n".join([f"{label}: {amount}" for label, amount in (*said.lines, *said.sums)]),
        said.payment,
    ]
    if said.address:
        parts.append("Property:\n" + "\n".join(said.address))
    return "\n\n".join(parts) + "\n"


def _html(said: _Said) -> str:
    number = escape(said.number)
    *sums, (total_label, total) = said.sums
    rows = "".join([_row(label, amount) for label, amount in (*said.lines, *sums)])
    rows += _row(total_label, total, strong=True)
    property_html = ""
    if said.address:
        where = "<br>".join([escape(part) for part in said.address])
        property_html = f'<p style="margin:16px 0 0"><strong>Property</strong><br>{where}</p>'
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Order {number}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head>'
        f'<body style="{_PAGE}"><div style="{_CARD}">'
        f'<h1 style="margin:0 0 16px;font-size:22px;line-height:1.3">Order {number} is confirmed</h1>'
        f'<p style="margin:0">{escape(said.greeting)}</p><p style="margin:8px 0 0">Thank you for your order.</p>'
        f'<table role="presentation" style="{_TABLE}">{rows}</table>{property_html}'
        f'<p style="{_SMALL}">{escape(said.payment)}</p></div></body></html>'
    )


def _row(label: str, amount: str, *, strong: bool = False) -> str:
    weight = ";font-weight:bold" if strong else ""
    return (
        f'<tr><td style="{_CELL}{weight}">{escape(label)}</td><td style="{_AMOUNT}{weight}">{escape(amount)}</td></tr>'
    )


def _greeting(order: Mapping[str, Any]) -> str:
    name = _line(order["client"].get("name"))
    return f"Hello {name}," if name else "Hello,"


def _line_rows(order: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (f"{_line(line['name'])} × {line['quantity']}", money(line["base_price_cents"], order["currency"]))
        for line in order["lines"]
    ]


def _sum_rows(order: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Subtotal and promotion where there is a discount, and always the total, last."""
    currency, promotion = order["currency"], order.get("promotion")
    rows = []
    if order["discount_cents"]:
        label = f"Promotion {_line(promotion['code'])}" if promotion else "Discount"
        rows.append(("Subtotal", money(order["subtotal_cents"], currency)))
        rows.append((label, money(-order["discount_cents"], currency)))
    return [*rows, ("Total", money(order["total_cents"], currency))]


def _payment(order: Mapping[str, Any]) -> str:
    """How it was paid: brand and last four digits, never more of a card."""
    payment = order.get("payment")
    if not order["total_cents"] or not payment or payment["state"] == "waived":
        return "There is nothing to pay."
    card = _line(payment["brand"]) or "card"
    if last4 := _line(payment["last4"]):
        card += f" ending in {last4}"
    return f"Paid with {card}: {money(payment['amount_cents'], order['currency'])}."


def _address(order: Mapping[str, Any]) -> list[str]:
    address = (order.get("property") or {}).get("address") or {}
    street, street2, city, province, postal_code = (_line(address.get(name)) for name in ADDRESS_FIELDS)
    region = " ".join(filter(None, (province, postal_code)))
    return [line for line in (street, street2, ", ".join(filter(None, (city, region)))) if line]


def _line(value: Any) -> str:
    """A value on one line: no line break of somebody's input can start a line of ours."""
    return " ".join(str(value).split()) if value is not None else ""

"""The confirmation email of an order: subject, text and HTML from the view `order_receipt`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from itertools import chain
from typing import Any, Final

ADDRESS_FIELDS: Final = ("street", "street2", "city", "province", "postal_code")

_CELL: Final = "padding:8px 0;border-top:1px solid #e5e7eb;text-align:left;vertical-align:top"
_AMOUNT: Final = (
    "padding:8px 0 8px 16px;border-top:1px solid #e5e7eb;text-align:right;white-space:nowrap;vertical-align:top"
)
_BOLD: Final = ";font-weight:bold"
_PAGE: Final = "margin:0;padding:24px 12px;background:#f3f4f6;font:16px/1.5 Helvetica,Arial,sans-serif;color:#1f2937"
_CARD: Final = "max-width:560px;margin:0 auto;padding:24px;background:#ffffff;border-radius:8px"
_TABLE: Final = "width:100%;border-collapse:collapse;margin:16px 0"
_SMALL: Final = "margin:16px 0 0;font-size:14px;color:#6b7280"


@dataclass(frozen=True)
class Receipt:
    """One message for every recipient of the order."""

    subject: str
    text: str
    html: str


def render_receipt(order: Mapping[str, Any]) -> Receipt:
    """Render an order in the view `order_receipt`. The amounts are integer cents."""
    number, greeting, payment = _line(order["number"]), _greeting(order), _payment(order)
    rows = _line_rows(order) + _sum_rows(order)
    address = _address(order)
    parts = [greeting, f"Thank you. Order {number} is confirmed.", "\n".join(map(": ".join, rows)), payment]
    if address:
        parts.append("\n".join(["Property:", *address]))
    return Receipt(
        subject=f"Order {number} is confirmed",
        text="\n\n".join(parts) + "\n",
        html=_html([number, greeting, payment, *chain.from_iterable(rows)], address),
    )


@lru_cache(maxsize=4096)
def money(amount_cents: int, currency: str) -> str:
    """$1,166.50, or 1,166.50 CAD; a minus stands in front."""
    whole, cents = divmod(abs(amount_cents), 100)
    sign = "-" if amount_cents < 0 else ""
    return f"{sign}${whole:,}.{cents:02d}" if currency == "USD" else f"{sign}{whole:,}.{cents:02d} {currency}"


def _html(said: Sequence[str], address: Sequence[str]) -> str:
    """`said`: number, greeting, payment, then label and amount of each row. Each text is one line, so that one step
    escapes all of them."""
    number, greeting, payment, *cells = escape("\n".join(said)).split("\n")
    labels, amounts = cells[::2], cells[1::2]
    rows = [_row(label, amount) for label, amount in zip(labels, amounts, strict=True)]
    rows[-1] = _row(labels[-1], amounts[-1], _BOLD)  # the total
    property_html = ""
    if address:
        where = escape("\n".join(address)).replace("\n", "<br>")
        property_html = f'<p style="margin:16px 0 0"><strong>Property</strong><br>{where}</p>'
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Order {number}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head>'
        f'<body style="{_PAGE}"><div style="{_CARD}">'
        f'<h1 style="margin:0 0 16px;font-size:22px;line-height:1.3">Order {number} is confirmed</h1>'
        f'<p style="margin:0">{greeting}</p><p style="margin:8px 0 0">Thank you for your order.</p>'
        f'<table role="presentation" style="{_TABLE}">{"".join(rows)}</table>{property_html}'
        f'<p style="{_SMALL}">{payment}</p></div></body></html>'
    )


def _row(label: str, amount: str, weight: str = "") -> str:
    return f'<tr><td style="{_CELL}{weight}">{label}</td><td style="{_AMOUNT}{weight}">{amount}</td></tr>'


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
    street, street2, city, province, postal_code = [_line(address.get(name)) for name in ADDRESS_FIELDS]
    region = " ".join(filter(None, (province, postal_code)))
    return [line for line in (street, street2, ", ".join(filter(None, (city, region)))) if line]


def _line(value: Any) -> str:
    """A value on one line: no line break of somebody's input can start a line of ours."""
    return " ".join(str(value).split()) if value is not None else ""

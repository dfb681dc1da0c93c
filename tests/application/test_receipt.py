"""The confirmation email says what was ordered, what it cost and how it was paid, and lets nobody smuggle in HTML."""

from __future__ import annotations

from typing import Any

import pytest

from application.receipt import money, render_receipt


def order(**changes: Any) -> dict[str, Any]:
    """An order in the view order_receipt: 15 photos with a ten-percent promotion, paid by card."""
    return {
        "id": "01890a5d-ac96-774b-bcce-b302099a8057",
        "number": "P-1001",
        "state": "submitted",
        "client": {"id": 11, "name": "Hillside Realty"},
        "lines": [
            {
                "slug": "photos",
                "name": "Photos",
                "kind": "primary",
                "quantity": 15,
                "base_price_cents": 18500,
                "discount_cents": 1850,
                "net_price_cents": 16650,
            }
        ],
        "subtotal_cents": 18500,
        "discount_cents": 1850,
        "total_cents": 16650,
        "currency": "USD",
        "promotion": {"code": "SPRING10", "discount_cents": 1850},
        "payment": {"state": "charged", "brand": "Visa", "last4": "1111", "amount_cents": 16650},
        "property": {"address": {"street": "1 Main St", "city": "Denver", "province": "CO", "postal_code": "80202"}},
        **changes,
    }


def test_the_subject_names_the_order() -> None:
    assert render_receipt(order()).subject == "Order P-1001 is confirmed"


def test_the_text_tells_lines_promotion_total_card_and_property() -> None:
    assert render_receipt(order()).text == (
        "Hello Hillside Realty,\n\n"
        "Thank you. Order P-1001 is confirmed.\n\n"
        "Photos × 15: $185.00\n"
        "Subtotal: $185.00\n"
        "Promotion SPRING10: -$18.50\n"
        "Total: $166.50\n\n"
        "Paid with Visa ending in 1111: $166.50.\n\n"
        "Property:\n"
        "1 Main St\n"
        "Denver, CO 80202\n"
    )


@pytest.mark.parametrize(
    "part",
    ["P-1001", "Hillside Realty", "Photos × 15", "$185.00", "SPRING10", "-$18.50", "$166.50", "Visa ending in 1111"],
)
def test_the_html_tells_the_same(part: str) -> None:
    assert part in render_receipt(order()).html


def test_without_a_discount_there_is_only_the_total() -> None:
    receipt = render_receipt(order(promotion=None, discount_cents=0, total_cents=18500))
    assert "Subtotal" not in receipt.text + receipt.html
    assert "Promotion" not in receipt.text + receipt.html
    assert "Total: $185.00" in receipt.text


@pytest.mark.parametrize("payment", [None, {"state": "waived", "brand": None, "last4": None, "amount_cents": 0}])
def test_an_order_with_nothing_to_pay_names_no_card(payment: dict[str, Any] | None) -> None:
    receipt = render_receipt(order(total_cents=0, discount_cents=18500, payment=payment))
    assert "There is nothing to pay." in receipt.text
    assert "ending in" not in receipt.text + receipt.html


def test_without_a_property_or_a_name_the_rest_is_told() -> None:
    receipt = render_receipt(order(property=None, client={"id": 11, "name": None}))
    assert receipt.text.startswith("Hello,\n")
    assert "Property" not in receipt.text + receipt.html


def test_every_value_is_escaped_in_html() -> None:
    evil = '<script>alert("1")</script>'
    receipt = render_receipt(
        order(
            number=evil,
            client={"id": 11, "name": evil},
            lines=[{**order()["lines"][0], "name": evil}],
            promotion={"code": evil, "discount_cents": 1850},
            payment={"state": "charged", "brand": evil, "last4": evil, "amount_cents": 16650},
            property={"address": dict.fromkeys(("street", "street2", "city", "province", "postal_code"), evil)},
        )
    )
    assert "<script" not in receipt.html
    assert receipt.html.count("&lt;script&gt;alert(&quot;1&quot;)") == 12


def test_a_line_break_in_a_value_starts_no_line() -> None:
    receipt = render_receipt(order(number="P-1\r\nBcc: x@example.com", client={"id": 11, "name": "A\n\nTotal: $0.00"}))
    assert "\n" not in receipt.subject
    assert "\r" not in receipt.subject
    assert "\nTotal: $0.00" not in receipt.text


@pytest.mark.parametrize(
    ("amount_cents", "currency", "text"),
    [
        (16650, "USD", "$166.50"),
        (0, "USD", "$0.00"),
        (5, "USD", "$0.05"),
        (123456789, "USD", "$1,234,567.89"),
        (-1850, "USD", "-$18.50"),
        (16650, "CAD", "166.50 CAD"),
        (-5, "CAD", "-0.05 CAD"),
    ],
)
def test_money_is_written_from_whole_cents(amount_cents: int, currency: str, text: str) -> None:
    assert money(amount_cents, currency) == text

"""The confirmation email of a submitted order: one message per recipient (X2)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from application.derived_ids import DerivedIds
from application.order_view import order_view
from application.ports import Email, Mailer, MailResult
from application.receipt import render_receipt
from domain.order import Order
from domain.order_events import Delivery

TAG = "order-confirmation"


def emails_for(order: Order, personal: Mapping[str, Any], ids: DerivedIds) -> list[Email]:
    """One message per recipient; the same order and recipient always give the same email_id."""
    receipt = render_receipt(order_view(order, personal, "order_receipt"))
    messages: dict[str, Email] = {}
    for recipient in personal["recipients"]:
        email_id = ids.email_id(order.id, recipient)
        messages[email_id] = Email(
            email_id=email_id,
            order_id=order.id,
            to=recipient,
            subject=receipt.subject,
            text=receipt.text,
            html=receipt.html,
            tag=TAG,
        )
    return list(messages.values())


async def send_all(mailer: Mailer, emails: list[Email]) -> list[Delivery]:
    """Send every message once, side by side, and tell how each ended."""
    results = await asyncio.gather(*(mailer.send(email) for email in emails))
    return [delivery_of(result) for result in results]


def delivery_of(result: MailResult) -> Delivery:
    return Delivery(result.email_id, result.status, result.message_id, result.reason)


def not_sent(emails: list[Email], reason: str) -> list[Delivery]:
    """No message was handed to the provider."""
    return [Delivery(email.email_id, "not-sent", None, reason) for email in emails]

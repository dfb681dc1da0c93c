"""The confirmation email of a submitted order: one message per recipient (X2), and how it went (T3)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from application import notifications
from application.derived_ids import DerivedIds
from application.event_log import CommitUnknown, StoreUnavailable
from application.order_streams import OrderStreams, Saved
from application.order_view import order_view
from application.ports import Clock, Email, Mailer, MailResult
from application.receipt import render_receipt
from domain.order import Order
from domain.order_events import Delivery, EmailState
from domain.policy import Policy
from domain.stream import Metadata, Stream
from domain.submission import Guards

log = logging.getLogger(__name__)

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
    if len(emails) == 1:  # most orders: no task of its own
        return [delivery_of(await mailer.send(emails[0]))]
    results = await asyncio.gather(*(mailer.send(email) for email in emails))
    return [delivery_of(result) for result in results]


def delivery_of(result: MailResult) -> Delivery:
    return Delivery(result.email_id, result.status, result.message_id, result.reason)


def not_sent(emails: list[Email], reason: str) -> list[Delivery]:
    """No message was handed to the provider."""
    return [Delivery(email.email_id, "not-sent", None, reason) for email in emails]


class Confirm:
    """Sends the confirmation within the request that submitted the order."""

    def __init__(
        self, streams: OrderStreams, mailer: Mailer, derived: DerivedIds, clock: Clock, policy: Policy
    ) -> None:
        self._streams = streams
        self._mailer = mailer
        self._derived = derived
        self._clock = clock
        self._policy = policy

    async def __call__(self, submitted: Saved, personal: Mapping[str, Any], actor: str, request_id: str) -> Saved:
        """Send, unless it is so late that the outbox may have begun; store how it went.

        An email that went out and could not be recorded is found again by the outbox.
        """
        order = submitted.guards.order
        emails = emails_for(order, personal, self._derived)
        since = min(submitted.read_at, order.submitted_at or submitted.read_at)  # recovery may have submitted it
        if self._clock.now() - since > timedelta(seconds=self._policy.email_guard_s):
            deliveries = not_sent(emails, "too-late")
        else:
            deliveries = await send_all(self._mailer, emails)
        causation = f"{order.id}/{order.version}"

        def record(fresh: Guards, at: datetime) -> Sequence[Stream]:
            return record_deliveries(fresh, deliveries, Metadata(at, actor, request_id, causation))

        try:
            saved = await self._streams.decide_and_save(submitted.guards, record)
        except (StoreUnavailable, CommitUnknown):
            log.exception("order %s: how its email went could not be stored; the outbox will find out", order.id)
            return submitted
        return Saved(saved.guards, max(saved.position, submitted.position), saved.read_at)


def record_deliveries(guards: Guards, deliveries: Sequence[Delivery], metadata: Metadata) -> Sequence[Stream]:
    """How the sends ended, on the order; at its first failure with a notification."""
    order = guards.order
    first_failure = not order.email_failed_before
    order.record_emails(metadata, deliveries)
    if first_failure and order.email_state is EmailState.FAILED:
        return [notifications.raised(notifications.EMAIL_FAILED, order.id, metadata)]
    return ()

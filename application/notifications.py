"""What is worth a person's look, in one place: kinds, texts and what to do about each."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import NAMESPACE_URL, UUID, uuid5

from domain.notification import Notification
from domain.stream import Metadata

_NAMESPACE = uuid5(NAMESPACE_URL, "urn:pay-and-submit:notification")


@dataclass(frozen=True)
class Notice:
    """A kind of notification. One per kind and subject is ever raised."""

    kind: str
    message: str
    action: str


EMAIL_FAILED = Notice(
    "email-failed",
    "The order is submitted, and its confirmation email could not be sent to every recipient.",
    "Check the recipient addresses and the mail provider; the outbox tries again where that can help.",
)
GATEWAY_KEYS_REFUSED = Notice(
    "gateway-keys-refused",
    "Authorize.net refused our API login or transaction key; nothing was charged.",
    "Check ORDERS_AUTHORIZENET_LOGIN_ID and ORDERS_AUTHORIZENET_TRANSACTION_KEY; until then no card can be charged.",
)
UNEXPECTED_CHARGE = Notice(
    "unexpected-charge",
    "The gateway kept money for an order that had ended without a charge; it is being taken back.",
    "Watch that the void or refund is confirmed; nothing else is to be done unless it fails.",
)
STUCK_ATTEMPT = Notice(
    "stuck-attempt",
    "The outcome of a payment is still unknown long after it should have been found out.",
    "Look the invoice number up at Authorize.net and check that its lookups work; the engine goes on trying.",
)
ORPHAN_CHARGE = Notice(
    "orphan-charge",
    "The gateway holds a charge that no order names; it is being taken back.",
    "Find out where it comes from; watch that the void or refund is confirmed.",
)
CORRECTION_REFUSED = Notice(
    "correction-refused",
    "The gateway refuses to void or refund a charge that must be taken back.",
    "Take it back at Authorize.net by hand; the engine notices and records it.",
)
EMAIL_GIVEN_UP = Notice(
    "email-given-up",
    "The confirmation email could not be sent after many tries, or was refused for good.",
    "Correct the address, then: orders emails resend ORDER --reason TEXT",
)
EMAIL_BOUNCED = Notice(
    "email-bounced",
    "The mail provider reports that a confirmation email could not be delivered.",
    "Correct the address, then: orders emails resend ORDER --reason TEXT",
)
SEALING_STOPPED = Notice(
    "sealing-stopped",
    "The log or its seals are not what was signed: nothing more is sealed, and orders go on.",
    "Run: orders audit verify. Find out who changed what before anything is put right.",
)

NOTICES = tuple(value for value in tuple(globals().values()) if isinstance(value, Notice))


def notification_id(notice: Notice, subject: UUID) -> UUID:
    """One stream per kind and subject, so that raising twice is noticed by the log itself."""
    return uuid5(_NAMESPACE, f"{notice.kind}:{subject}")


def raised(notice: Notice, subject: UUID, metadata: Metadata, *, about_order: bool = True) -> Notification:
    """A fresh notification stream with its first event. Saving it a second time is a Conflict."""
    notification = Notification.empty(notification_id(notice, subject))
    notification.raise_once(
        metadata,
        kind=notice.kind,
        order_id=subject if about_order else None,
        message=notice.message,
        action=notice.action,
    )
    return notification

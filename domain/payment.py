"""The words of a payment: the gateway's codes, the states, the stored card that is charged."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


@dataclass(frozen=True)
class GatewayCodes:
    """What the gateway answered, as codes; its texts may echo what was sent, so they are never kept."""

    response_code: str | None = None  # transactionResponse/responseCode: 1 approved, 2 declined, 3 error, 4 held
    reason_code: str | None = None  # transactionResponse messages or errors, the first code
    message_code: str | None = None  # top-level messages, as E00027
    avs_result: str | None = None
    cvv_result: str | None = None


class PaymentState(StrEnum):
    """Where the money of an order stands."""

    ATTEMPTED = "attempted"
    UNKNOWN = "unknown"
    HELD = "held"
    CHARGED = "charged"
    DECLINED = "declined"
    FAILED = "failed"
    NOT_SENT = "not_sent"
    EXPIRED = "expired"
    VOIDED = "voided"
    REFUNDED = "refunded"
    WAIVED = "waived"

    @property
    def is_open(self) -> bool:
        """The outcome is still to be found out."""
        return self in (PaymentState.ATTEMPTED, PaymentState.UNKNOWN, PaymentState.HELD)


class FoundBy(StrEnum):
    """How we learnt of an outcome."""

    ANSWER = "answer"  # the gateway's answer to our charge
    LOOKUP = "lookup"  # a later search


@dataclass(frozen=True)
class Card:
    """A stored card as the directory describes it: ids at the gateway and what a person recognises it by."""

    payment_method_id: int
    customer_profile_id: str
    payment_profile_id: str
    brand: str
    last4: str
    exp_month: int
    exp_year: int

    def expired(self, at: datetime) -> bool:
        """After the last day of its month, UTC."""
        at = at.astimezone(UTC)
        return (at.year, at.month) > (self.exp_year, self.exp_month)

    def last_day(self) -> str:
        """The last day on which it can be used, as a date."""
        return f"{self.exp_year:04}-{self.exp_month:02}-{monthrange(self.exp_year, self.exp_month)[1]:02}"

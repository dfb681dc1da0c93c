"""The payment gateway: what is asked of it, and every way in which it can answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from domain.payment import FoundBy, GatewayCodes


@dataclass(frozen=True)
class ChargeRequest:
    """One charge of a stored card. Sent at most once."""

    invoice_number: str
    amount_cents: int
    customer_profile_id: str
    payment_profile_id: str
    description: str  # shown in the merchant's interface; no personal data


@dataclass(frozen=True)
class Approved:
    """Response code 1 with a real transaction id: the money is captured."""

    transaction_id: str
    authorization_code: str  # text: leading zeros matter
    codes: GatewayCodes
    found_by: FoundBy = FoundBy.ANSWER


@dataclass(frozen=True)
class Declined:
    """A definite no that is about the card. `status` is the API status to answer with."""

    status: str  # declined-payment | card-number-invalid | card-expired | failed-payment
    codes: GatewayCodes
    transaction_id: str | None = None


@dataclass(frozen=True)
class PartiallyApproved:
    """Response code 4 with reason 295: a part was authorised that nobody asked for; it must be voided."""

    transaction_id: str
    codes: GatewayCodes


@dataclass(frozen=True)
class GatewayFailed:
    """A definite no that is not about the card: gateway error, or our keys are refused."""

    status: str  # external-application-error | invalid-payment-processor-api-keys
    codes: GatewayCodes


@dataclass(frozen=True)
class DuplicateAtGateway:
    """Reason 11 or 318: the gateway saw this charge before. The caller looks the invoice up before it decides."""

    codes: GatewayCodes
    transaction_id: str | None = None


@dataclass(frozen=True)
class HeldForReview:
    """Response code 4 (252, 253, 193 ...): neither yes nor no until somebody reviews it."""

    transaction_id: str
    codes: GatewayCodes


@dataclass(frozen=True)
class NotSent:
    """Nothing reached the gateway (refused connection, DNS, bad certificate): it may be tried again."""

    reason: str  # a short slug: connection-refused, dns, tls, connect-timeout, pool-exhausted


@dataclass(frozen=True)
class OutcomeUnknown:
    """The request may have been carried out. Never treated as a no."""

    reason: str  # a short slug: time-out, connection-lost, http-5xx, nonsense, too-large, gateway-unsure
    codes: GatewayCodes = field(default_factory=GatewayCodes)


ChargeOutcome = (
    Approved
    | Declined
    | PartiallyApproved
    | GatewayFailed
    | DuplicateAtGateway
    | HeldForReview
    | NotSent
    | OutcomeUnknown
)


class TransactionState(StrEnum):
    """What a transaction at the gateway means for us; several of its statuses share one meaning."""

    AUTHORIZED_ONLY = "authorized-only"  # authorizedPendingCapture: not captured, so no charge yet
    CAPTURED = "captured"  # capturedPendingSettlement: can be voided
    SETTLED = "settled"  # settledSuccessfully: can only be refunded
    HELD = "held"  # FDSPendingReview, FDSAuthorizedPendingReview, underReview, ...
    DECLINED = "declined"
    VOIDED = "voided"
    EXPIRED = "expired"
    FAILED = "failed"  # generalError, communicationError, failedReview: nothing was kept
    REFUND = "refund"  # refundPendingSettlement, refundSettledSuccessfully: the row is a refund, not a charge
    RETURNED = "returned"  # chargeback, returnedItem and their reversals
    UNSETTLED_ERROR = "unsettled-error"  # settlementError: not final
    UNKNOWN = "unknown"  # a status that is not listed: decide nothing on it


@dataclass(frozen=True)
class TransactionSummary:
    """One row of a transaction list."""

    transaction_id: str
    state: TransactionState
    status: str  # the gateway's own word
    invoice_number: str | None
    amount_cents: int
    submitted_at: datetime
    customer_profile_id: str | None = None
    payment_profile_id: str | None = None


@dataclass(frozen=True)
class TransactionDetails:
    """The gateway's full account of one transaction (getTransactionDetails)."""

    transaction_id: str
    state: TransactionState
    status: str
    invoice_number: str | None
    amount_cents: int  # settleAmount where it is there, else authAmount
    authorization_code: str
    last4: str | None  # the last four digits of the masked number
    transaction_type: str  # authCaptureTransaction, refundTransaction, ...
    submitted_at: datetime
    customer_profile_id: str | None
    payment_profile_id: str | None
    refunded_transaction_id: str | None  # refTransId of a refund
    codes: GatewayCodes


@dataclass(frozen=True)
class SettledBatch:
    """One settlement batch (getSettledBatchList)."""

    batch_id: str
    settled_at: datetime
    state: str  # the gateway's own word


@dataclass(frozen=True)
class Accepted:
    """A void, a refund or a decision on a held transaction was accepted. Believed only when the details show it."""

    transaction_id: str
    codes: GatewayCodes


@dataclass(frozen=True)
class Rejected:
    """A void, a refund or a decision on a held transaction was definitely not carried out."""

    codes: GatewayCodes


CorrectionOutcome = Accepted | Rejected | NotSent | OutcomeUnknown


class LookupFailed(Exception):
    """The gateway could not be asked, or its answer could not be read: nothing may be concluded from it.

    `reason` is a short slug as in NotSent and OutcomeUnknown; `busy` tells E00053/E00104 and 5xx from the rest.
    """

    def __init__(self, reason: str, codes: GatewayCodes | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.codes = codes or GatewayCodes()


class PaymentGateway(Protocol):
    """Authorize.net, or anything that answers like it. Only `charge` moves money towards us."""

    async def charge(self, request: ChargeRequest) -> ChargeOutcome:
        """Authorise and capture once. Never raises for a vendor's failure; never sends twice."""
        ...

    async def find_by_invoice(
        self, invoice_number: str, *, customer_profile_id: str | None, since: datetime
    ) -> list[TransactionSummary]:
        """Every transaction that carries the invoice: by customer, then unsettled (held ones too), then the batches
        settled since. The list is complete, or LookupFailed is raised."""
        ...

    async def details(self, transaction_id: str) -> TransactionDetails | None:
        """The details, or None where the gateway knows no such transaction. Raises LookupFailed."""
        ...

    async def unsettled(self) -> list[TransactionSummary]:
        """All unsettled transactions, held ones too, over all pages. Raises LookupFailed."""
        ...

    async def settled_batches(self, first: datetime, last: datetime) -> list[SettledBatch]:
        """Batches settled in the range (asked for in steps of at most 31 days). Raises LookupFailed."""
        ...

    async def batch_transactions(self, batch_id: str) -> list[TransactionSummary]:
        """All transactions of a batch, over all pages. Raises LookupFailed."""
        ...

    async def void(self, transaction_id: str) -> CorrectionOutcome:
        """Void an unsettled transaction. Voiding twice is Accepted (reason 310)."""
        ...

    async def refund(
        self, transaction_id: str, amount_cents: int, last4: str, invoice_number: str
    ) -> CorrectionOutcome:
        """Refund a settled transaction in full or in part."""
        ...

    async def decline_held(self, transaction_id: str) -> CorrectionOutcome:
        """Decline a transaction that is held for review (updateHeldTransactionRequest)."""
        ...

    async def check_keys(self) -> bool:
        """Whether the gateway accepts our keys (authenticateTest). Raises LookupFailed."""
        ...

"""What can happen to an order: its events in the order of the money path, and the state they leave behind.

The decisions that trigger them are in `order.py`. Topics and fields are a stored format: they only ever grow.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.payment import FoundBy, GatewayCodes, PaymentState
from domain.personal_data import SealedPersonalData
from domain.pricing import Line
from domain.stream import Stream


class OrderState(StrEnum):
    """Where an order stands, in the words of the API."""

    REFUSED = "refused"
    PAYMENT_OPEN = "payment_open"
    PAYMENT_HELD = "payment_held"
    DECLINED = "declined"
    PAYMENT_FAILED = "payment_failed"
    PAYMENT_EXPIRED = "payment_expired"
    SUBMITTED = "submitted"
    VOIDED = "voided"
    REFUNDED = "refunded"


class EmailState(StrEnum):
    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True)
class Delivery:
    """How the send to one recipient ended; the recipient is known by the keyed email_id only."""

    email_id: str
    status: str  # sent | queued | scheduled | rejected | invalid | failed | not-sent | unknown
    message_id: str | None = None
    reason: str | None = None

    @property
    def succeeded(self) -> bool:
        """The provider took it."""
        return self.status in ("sent", "queued", "scheduled")

    @property
    def final(self) -> bool:
        """No later try can change it."""
        return self.succeeded or self.status in ("rejected", "invalid")


@dataclass
class Payment:
    """The one payment attempt of an order, or its waiver."""

    state: PaymentState
    amount_cents: int
    attempted_at: datetime
    invoice_number: str | None = None
    payment_method_id: int | None = None
    brand: str | None = None
    last4: str | None = None
    customer_profile_id: str | None = None
    payment_profile_id: str | None = None
    transaction_id: str | None = None
    authorization_code: str | None = None
    reason: str | None = None  # a slug: why it stands as it does
    codes: GatewayCodes | None = None


class CorrectionState(StrEnum):
    VOID_REQUESTED = "void-requested"
    REFUND_REQUESTED = "refund-requested"
    VOIDED = "voided"
    REFUNDED = "refunded"

    @property
    def is_open(self) -> bool:
        return self in (CorrectionState.VOID_REQUESTED, CorrectionState.REFUND_REQUESTED)


@dataclass
class Correction:
    """Money of one transaction that is being taken back, or has been."""

    state: CorrectionState
    amount_cents: int
    requested_at: datetime
    reason: str
    unexpected: bool
    refund_invoice_number: str | None = None


class OrderHistory(Stream):
    """The events of an order and the state they add up to."""

    class Event(Stream.Event):
        pass

    class Requested(Event):
        """Somebody who may asked for this order, and the request was well formed."""

        TOPIC = "order.requested.v1"

        requester: str  # user:11 | application:planoorder
        application: str
        role: str
        designation: str | None
        client_id: int
        lines: tuple[Line, ...]
        subtotal_cents: int
        currency: str
        catalog_version: str
        duplicate_window_id: UUID
        request_digest: str  # keyed; tells a repeat from another request under one idempotency key
        personal: SealedPersonalData

        def apply(self, order: OrderHistory) -> None:
            order.requested = self

    class Refused(Event):
        """A rule forbids it (refusals.py). The order ends here."""

        TOPIC = "order.refused.v1"

        status: str
        rule: str
        promotion_id: UUID | None
        earlier_order_id: UUID | None
        blocked_until: datetime | None

        def apply(self, order: OrderHistory) -> None:
            order.state = OrderState.REFUSED
            order.refused = self

    class PromotionApplied(Event):
        """The terms that held at this moment, and what they took off each line."""

        TOPIC = "order.promotion-applied.v1"

        promotion_id: UUID
        promotion_version: int
        code: str
        percent_off: int | None
        amount_off_cents: int | None
        designation: str | None
        redemption_id: UUID
        discounts_cents: tuple[int, ...]
        discount_cents: int
        total_cents: int

        def apply(self, order: OrderHistory) -> None:
            order.promotion = self

    class PaymentAttempted(Event):
        """The intent to charge, stored before anything is sent."""

        TOPIC = "order.payment-attempted.v1"

        invoice_number: str
        amount_cents: int
        currency: str
        payment_method_id: int
        brand: str
        last4: str
        customer_profile_id: str
        payment_profile_id: str

        def apply(self, order: OrderHistory) -> None:
            order.state = OrderState.PAYMENT_OPEN
            order.payment = Payment(
                state=PaymentState.ATTEMPTED,
                amount_cents=self.amount_cents,
                attempted_at=self.timestamp,
                invoice_number=self.invoice_number,
                payment_method_id=self.payment_method_id,
                brand=self.brand,
                last4=self.last4,
                customer_profile_id=self.customer_profile_id,
                payment_profile_id=self.payment_profile_id,
            )

    class PaymentWaived(Event):
        """Nothing to pay: no card is touched."""

        TOPIC = "order.payment-waived.v1"

        def apply(self, order: OrderHistory) -> None:
            order.payment = Payment(state=PaymentState.WAIVED, amount_cents=0, attempted_at=self.timestamp)

    class PaymentCharged(Event):
        """The gateway approved and captured the charge."""

        TOPIC = "order.payment-charged.v1"

        transaction_id: str
        authorization_code: str  # text: leading zeros matter
        amount_cents: int
        codes: GatewayCodes
        found_by: FoundBy

        def apply(self, order: OrderHistory) -> None:
            payment = order._change_payment(PaymentState.CHARGED, None, self.codes)
            payment.transaction_id = self.transaction_id
            payment.authorization_code = self.authorization_code

    class PaymentDeclined(Event):
        """A definite no that is about the card."""

        TOPIC = "order.payment-declined.v1"

        status: str  # declined-payment | card-number-invalid | card-expired | failed-payment
        reason: str
        transaction_id: str | None
        codes: GatewayCodes
        found_by: FoundBy

        def apply(self, order: OrderHistory) -> None:
            order.state = OrderState.DECLINED
            order.ending_status = self.status
            order._change_payment(PaymentState.DECLINED, self.reason, self.codes).transaction_id = self.transaction_id

    class PaymentFailed(Event):
        """A definite no that is not the card's: gateway error, keys refused, a duplicate by the gateway's reckoning."""

        TOPIC = "order.payment-failed.v1"

        status: str
        reason: str
        codes: GatewayCodes

        def apply(self, order: OrderHistory) -> None:
            order.state = OrderState.PAYMENT_FAILED
            order.ending_status = self.status
            order._change_payment(PaymentState.FAILED, self.reason, self.codes)

    class PaymentNotSent(Event):
        """The process that would have sent the charge knows that nothing was sent."""

        TOPIC = "order.payment-not-sent.v1"

        reason: str

        def apply(self, order: OrderHistory) -> None:
            order.state = OrderState.PAYMENT_FAILED
            order.ending_status = "external-application-error"
            order._change_payment(PaymentState.NOT_SENT, self.reason, None)

    class PaymentOutcomeUnknown(Event):
        """The charge may or may not have happened; recovery finds out."""

        TOPIC = "order.payment-outcome-unknown.v1"

        reason: str
        codes: GatewayCodes

        def apply(self, order: OrderHistory) -> None:
            order._change_payment(PaymentState.UNKNOWN, self.reason, self.codes)

    class PaymentHeld(Event):
        """The gateway holds the transaction for review."""

        TOPIC = "order.payment-held.v1"

        transaction_id: str
        codes: GatewayCodes
        found_by: FoundBy

        def apply(self, order: OrderHistory) -> None:
            order.state = OrderState.PAYMENT_HELD
            payment = order._change_payment(PaymentState.HELD, "held-for-review", self.codes)
            payment.transaction_id = self.transaction_id

    class HoldDeclineRequested(Event):
        """Held for too long: the intent to have the gateway decline it."""

        TOPIC = "order.hold-decline-requested.v1"

        transaction_id: str
        reason: str

        def apply(self, order: OrderHistory) -> None:
            order.hold_decline_requested = True

    class PaymentExpired(Event):
        """A complete lookup, long enough after the intent, found no such charge: it never happened."""

        TOPIC = "order.payment-expired.v1"

        looked_up_at: datetime  # when the lookup that found nothing began

        def apply(self, order: OrderHistory) -> None:
            order.state = OrderState.PAYMENT_EXPIRED
            order.ending_status = "external-application-error"
            order._change_payment(PaymentState.EXPIRED, "not-found-at-gateway", None)

    class Submitted(Event):
        """Paid, or nothing to pay: the order is placed."""

        TOPIC = "order.submitted.v1"

        total_cents: int

        def apply(self, order: OrderHistory) -> None:
            order.state = OrderState.SUBMITTED
            order.submitted_at = order.email_wanted_at = self.timestamp
            order.email_state = EmailState.PENDING

    class VoidRequested(Event):
        """The intent to take a charge back before it settles. `unexpected`: a charge that the order must not keep."""

        TOPIC = "order.void-requested.v1"

        transaction_id: str
        amount_cents: int
        reason: str
        unexpected: bool

        def apply(self, order: OrderHistory) -> None:
            order.corrections[self.transaction_id] = Correction(
                CorrectionState.VOID_REQUESTED, self.amount_cents, self.timestamp, self.reason, self.unexpected
            )

    class PaymentVoided(Event):
        """The gateway's details show the transaction as voided."""

        TOPIC = "order.payment-voided.v1"

        transaction_id: str
        amount_cents: int

        def apply(self, order: OrderHistory) -> None:
            order._corrected(self.transaction_id, PaymentState.VOIDED, OrderState.VOIDED)

    class RefundRequested(Event):
        """The intent to give settled money back."""

        TOPIC = "order.refund-requested.v1"

        transaction_id: str
        amount_cents: int
        reason: str
        unexpected: bool
        refund_invoice_number: str

        def apply(self, order: OrderHistory) -> None:
            order.corrections[self.transaction_id] = Correction(
                CorrectionState.REFUND_REQUESTED,
                self.amount_cents,
                self.timestamp,
                self.reason,
                self.unexpected,
                self.refund_invoice_number,
            )

    class PaymentRefunded(Event):
        """The gateway's details show the refund."""

        TOPIC = "order.payment-refunded.v1"

        transaction_id: str
        refund_transaction_id: str
        amount_cents: int

        def apply(self, order: OrderHistory) -> None:
            order._corrected(self.transaction_id, PaymentState.REFUNDED, OrderState.REFUNDED)

    class EmailResendRequested(Event):
        """A person wants the confirmation sent again."""

        TOPIC = "order.email-resend-requested.v1"

        reason: str

        def apply(self, order: OrderHistory) -> None:
            order.email_state = EmailState.PENDING
            order.email_attempts = 0
            order.email_attempted_at = None
            order.superseded |= {known.message_id for known in order.deliveries.values() if known.message_id}
            order.deliveries = {}
            order.email_wanted_at = self.timestamp

    class EmailAttempted(Event):
        """The outbox is about to try again."""

        TOPIC = "order.email-attempted.v1"

        attempt: int
        email_ids: tuple[str, ...]

        def apply(self, order: OrderHistory) -> None:
            order.email_attempts = self.attempt
            order.email_attempted_at = self.timestamp

    class EmailSent(Event):
        """Every recipient's message was taken by the provider."""

        TOPIC = "order.email-sent.v1"

        deliveries: tuple[Delivery, ...]

        def apply(self, order: OrderHistory) -> None:
            order.email_state = EmailState.SENT
            order._take_deliveries(self.deliveries)

    class EmailFailed(Event):
        """At least one recipient's message was not taken, or may not have been."""

        TOPIC = "order.email-failed.v1"

        reason: str
        deliveries: tuple[Delivery, ...]

        def apply(self, order: OrderHistory) -> None:
            order.email_state = EmailState.FAILED
            order.email_failed_before = True
            order._take_deliveries(self.deliveries)

    def __init__(self) -> None:
        self.requested: OrderHistory.Requested | None = None
        self.refused: OrderHistory.Refused | None = None
        self.promotion: OrderHistory.PromotionApplied | None = None
        self.state: OrderState | None = None
        self.payment: Payment | None = None
        self.ending_status: str | None = None  # the API status of an order that ended without a charge
        self.submitted_at: datetime | None = None
        self.email_state: EmailState | None = None
        self.email_wanted_at: datetime | None = None  # submitted, or asked for again
        self.email_attempts = 0  # of the outbox, since then
        self.email_attempted_at: datetime | None = None  # of a try that has not ended yet
        self.email_failed_before = False
        self.deliveries: dict[str, Delivery] = {}
        self.superseded: set[str] = set()  # ids of messages that a person wanted to be sent again
        self.hold_decline_requested = False
        self.corrections: dict[str, Correction] = {}  # by transaction id

    def _change_payment(self, state: PaymentState, reason: str | None, codes: GatewayCodes | None) -> Payment:
        assert self.payment is not None, "a payment was attempted"
        self.payment.state = state
        self.payment.reason = reason
        self.payment.codes = codes or self.payment.codes
        return self.payment

    def _corrected(self, transaction_id: str, payment: PaymentState, state: OrderState) -> None:
        """Only taking back the charge that the order was submitted with ends the order."""
        done = CorrectionState.VOIDED if payment is PaymentState.VOIDED else CorrectionState.REFUNDED
        self.corrections[transaction_id].state = done
        if self.state is OrderState.SUBMITTED and self.payment and self.payment.transaction_id == transaction_id:
            self.state = state
            self.payment.state = payment

    def _take_deliveries(self, deliveries: tuple[Delivery, ...]) -> None:
        self.email_attempted_at = None
        for delivery in deliveries:
            self.deliveries[delivery.email_id] = delivery

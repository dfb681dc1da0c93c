"""Order: what may happen to it. Its events and state are in `order_events.py`.

Every decision may come twice: the second time it records nothing. Once an order has ended it never comes back; a charge
that turns up for it then is an UnexpectedCharge, to be taken back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from domain.order_events import Correction, CorrectionState, Delivery, EmailState, OrderHistory, OrderState
from domain.order_number import number_of
from domain.payment import Card, FoundBy, GatewayCodes, PaymentState
from domain.personal_data import SealedPersonalData
from domain.pricing import CURRENCY, Line, subtotal_cents
from domain.promotion import PromotionTerms
from domain.refusals import Refusal
from domain.stream import Metadata


class UnexpectedCharge(Exception):
    """The gateway kept a charge for an order that had already ended otherwise."""

    def __init__(self, order_id: UUID, transaction_id: str) -> None:
        super().__init__(f"order {order_id} has ended; transaction {transaction_id} must be taken back")
        self.order_id = order_id
        self.transaction_id = transaction_id


class Order(OrderHistory):
    """One request to pay for services at one property, from the request to the receipt."""

    @property
    def number(self) -> str:
        return number_of(self.id)

    @property
    def total_cents(self) -> int:
        assert self.requested is not None
        return self.promotion.total_cents if self.promotion else self.requested.subtotal_cents

    @property
    def has_ended(self) -> bool:
        """Nothing can be paid for it any more, or it has been."""
        return self.state not in (None, OrderState.PAYMENT_OPEN, OrderState.PAYMENT_HELD)

    # --- the intent ---------------------------------------------------------------------------------------------------

    def request(
        self,
        metadata: Metadata,
        *,
        requester: str,
        application: str,
        role: str,
        designation: str | None,
        client_id: int,
        lines: Sequence[Line],
        catalog_version: str,
        duplicate_window_id: UUID,
        request_digest: str,
        personal: SealedPersonalData,
    ) -> None:
        if self.version:
            return
        self.record(
            metadata,
            self.Requested,
            requester=requester,
            application=application,
            role=role,
            designation=designation,
            client_id=client_id,
            lines=tuple(lines),
            subtotal_cents=subtotal_cents(lines),
            currency=CURRENCY,
            catalog_version=catalog_version,
            duplicate_window_id=duplicate_window_id,
            request_digest=request_digest,
            personal=personal,
        )

    def refuse(self, metadata: Metadata, refusal: Refusal) -> None:
        if self.state is not None:
            return
        self.record(
            metadata,
            self.Refused,
            status=refusal.status,
            rule=refusal.rule,
            promotion_id=refusal.promotion_id,
            earlier_order_id=refusal.earlier_order_id,
            blocked_until=refusal.blocked_until,
        )

    def apply_promotion(
        self, metadata: Metadata, terms: PromotionTerms, *, redemption_id: UUID, discounts: Sequence[int]
    ) -> None:
        if self.promotion is not None:
            return
        assert self.requested is not None
        self.record(
            metadata,
            self.PromotionApplied,
            promotion_id=terms.promotion_id,
            promotion_version=terms.version,
            code=terms.code,
            percent_off=terms.percent_off,
            amount_off_cents=terms.amount_off_cents,
            designation=terms.designation,
            redemption_id=redemption_id,
            discounts_cents=tuple(discounts),
            discount_cents=sum(discounts),
            total_cents=self.requested.subtotal_cents - sum(discounts),
        )

    def attempt_payment(self, metadata: Metadata, card: Card, invoice_number: str) -> None:
        if self.payment is not None:
            return
        self.record(
            metadata,
            self.PaymentAttempted,
            invoice_number=invoice_number,
            amount_cents=self.total_cents,
            currency=CURRENCY,
            payment_method_id=card.payment_method_id,
            brand=card.brand,
            last4=card.last4,
            customer_profile_id=card.customer_profile_id,
            payment_profile_id=card.payment_profile_id,
        )

    def waive_payment(self, metadata: Metadata) -> None:
        """Submit without a charge: the total is zero."""
        if self.payment is not None:
            return
        assert self.total_cents == 0
        self.record(metadata, self.PaymentWaived)
        self.record(metadata, self.Submitted, total_cents=0)

    # --- the outcome of the attempt -----------------------------------------------------------------------------------

    def _open_payment_state(self) -> PaymentState | None:
        """The state of the payment while its outcome is open."""
        return self.payment.state if self.payment and self.payment.state.is_open else None

    def record_charge(
        self,
        metadata: Metadata,
        *,
        transaction_id: str,
        authorization_code: str,
        codes: GatewayCodes,
        found_by: FoundBy,
    ) -> None:
        """Take the gateway's yes and submit. Hearing it again changes nothing; too late, it is an UnexpectedCharge."""
        if self._open_payment_state() is None:
            if self.payment and self.payment.transaction_id == transaction_id and self.submitted_at is not None:
                return
            raise UnexpectedCharge(self.id, transaction_id)
        self.record(
            metadata,
            self.PaymentCharged,
            transaction_id=transaction_id,
            authorization_code=authorization_code,
            amount_cents=self.total_cents,
            codes=codes,
            found_by=found_by,
        )
        self.record(metadata, self.Submitted, total_cents=self.total_cents)

    def record_decline(
        self,
        metadata: Metadata,
        *,
        status: str,
        reason: str,
        transaction_id: str | None,
        codes: GatewayCodes,
        found_by: FoundBy,
    ) -> None:
        if self._open_payment_state():
            self.record(
                metadata,
                self.PaymentDeclined,
                status=status,
                reason=reason,
                transaction_id=transaction_id,
                codes=codes,
                found_by=found_by,
            )

    def record_failure(self, metadata: Metadata, *, status: str, reason: str, codes: GatewayCodes) -> None:
        if self._open_payment_state():
            self.record(metadata, self.PaymentFailed, status=status, reason=reason, codes=codes)

    def record_not_sent(self, metadata: Metadata, reason: str) -> None:
        """Only the process that would have sent the charge can know this."""
        if self._open_payment_state() is PaymentState.ATTEMPTED:
            self.record(metadata, self.PaymentNotSent, reason=reason)

    def record_unknown(self, metadata: Metadata, reason: str, codes: GatewayCodes) -> None:
        if self._open_payment_state() is PaymentState.ATTEMPTED:
            self.record(metadata, self.PaymentOutcomeUnknown, reason=reason, codes=codes)

    def record_held(self, metadata: Metadata, *, transaction_id: str, codes: GatewayCodes, found_by: FoundBy) -> None:
        if self._open_payment_state() in (PaymentState.ATTEMPTED, PaymentState.UNKNOWN):
            self.record(metadata, self.PaymentHeld, transaction_id=transaction_id, codes=codes, found_by=found_by)

    def record_expiry(self, metadata: Metadata, looked_up_at: datetime) -> None:
        if self._open_payment_state() in (PaymentState.ATTEMPTED, PaymentState.UNKNOWN):
            self.record(metadata, self.PaymentExpired, looked_up_at=looked_up_at)

    def request_hold_decline(self, metadata: Metadata, reason: str) -> None:
        """Only while it is held, and once."""
        if self._open_payment_state() is PaymentState.HELD and not self.hold_decline_requested:
            assert self.payment is not None
            self.record(metadata, self.HoldDeclineRequested, transaction_id=self.payment.transaction_id, reason=reason)

    # --- taking money back --------------------------------------------------------------------------------------------

    def request_void(
        self, metadata: Metadata, *, transaction_id: str, amount_cents: int, reason: str, unexpected: bool
    ) -> None:
        if transaction_id not in self.corrections:
            self.record(
                metadata,
                self.VoidRequested,
                transaction_id=transaction_id,
                amount_cents=amount_cents,
                reason=reason,
                unexpected=unexpected,
            )

    def record_void(self, metadata: Metadata, transaction_id: str) -> None:
        correction = self.corrections.get(transaction_id)
        if correction and correction.state.is_open:
            self.record(
                metadata, self.PaymentVoided, transaction_id=transaction_id, amount_cents=correction.amount_cents
            )

    def request_refund(
        self,
        metadata: Metadata,
        *,
        transaction_id: str,
        amount_cents: int,
        reason: str,
        unexpected: bool,
        refund_invoice_number: str,
        after: datetime | None = None,
    ) -> None:
        """Ask for it once; a void that came too late may become a refund.

        `after`: a request made before then is given up as never received, and made anew.
        """
        correction = self.corrections.get(transaction_id)
        if correction is not None and correction.state is not CorrectionState.VOID_REQUESTED:
            given_up = after is not None and correction.requested_at < after
            if correction.state is not CorrectionState.REFUND_REQUESTED or not given_up:
                return
        self.record(
            metadata,
            self.RefundRequested,
            transaction_id=transaction_id,
            amount_cents=amount_cents,
            reason=reason,
            unexpected=unexpected,
            refund_invoice_number=refund_invoice_number,
        )

    def record_refund(self, metadata: Metadata, transaction_id: str, refund_transaction_id: str) -> None:
        correction = self.corrections.get(transaction_id)
        if correction and correction.state is CorrectionState.REFUND_REQUESTED:
            self.record(
                metadata,
                self.PaymentRefunded,
                transaction_id=transaction_id,
                refund_transaction_id=refund_transaction_id,
                amount_cents=correction.amount_cents,
            )

    @property
    def open_corrections(self) -> dict[str, Correction]:
        """What is still to be taken back, by transaction id."""
        return {key: value for key, value in self.corrections.items() if value.state.is_open}

    # --- the receipt --------------------------------------------------------------------------------------------------

    def attempt_emails(self, metadata: Metadata, email_ids: Sequence[str]) -> None:
        """The outbox is about to try these again. Its intent is stored before it looks or sends."""
        if self.email_state in (EmailState.PENDING, EmailState.FAILED):
            self.record(metadata, self.EmailAttempted, attempt=self.email_attempts + 1, email_ids=tuple(email_ids))

    def record_emails(self, metadata: Metadata, deliveries: Sequence[Delivery]) -> None:
        """Take how the sends ended. Once all were taken by the provider, a later word changes nothing."""
        if self.email_state in (None, EmailState.SENT):
            return
        failed = [delivery for delivery in deliveries if not delivery.succeeded]
        if not failed:
            self.record(metadata, self.EmailSent, deliveries=tuple(deliveries))
            return
        reason = failed[0].reason or failed[0].status
        told_before = self.email_state is EmailState.FAILED and list(self.deliveries.values()) == list(deliveries)
        if told_before and self.email_attempted_at is None:
            return
        self.record(metadata, self.EmailFailed, reason=reason, deliveries=tuple(deliveries))

    def request_resend(self, metadata: Metadata, reason: str) -> None:
        """A person wants it sent again, whatever became of the last one."""
        if self.submitted_at is not None and self.email_state is not EmailState.PENDING:
            self.record(metadata, self.EmailResendRequested, reason=reason)

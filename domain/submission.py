"""The decision to accept an order: which rule refuses it, or what is reserved and attempted. One commit (T1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from domain.duplicate_window import DuplicateWindow
from domain.order import Order
from domain.payment import Card, PaymentState
from domain.personal_data import SealedPersonalData
from domain.policy import Policy
from domain.pricing import Line, discounts_cents
from domain.promotion import PromotionRedemption, PromotionTerms, require_applicable
from domain.refusals import CardExpired, Refusal
from domain.stream import Metadata


class Submission(NamedTuple):
    """A valid request, as facts for the decision."""

    requester: str
    application: str
    role: str
    designation: str | None
    client_id: int
    lines: tuple[Line, ...]
    catalog_version: str
    request_digest: str
    personal: SealedPersonalData
    promotion_asked: bool
    promotion: PromotionTerms | None
    promotion_holder: str  # user:11, or client:11 where an application acts
    card: Card | None  # None only where nothing has to be paid
    invoice_number: str

    @property
    def by_application(self) -> bool:
        return self.role == "application"


@dataclass(frozen=True)
class Guards:
    """The three streams that one submission is decided on, and saved with."""

    order: Order
    window: DuplicateWindow
    redemption: PromotionRedemption | None  # where a known promotion is asked for

    @property
    def all_written(self) -> bool:
        """Whether each of the streams has events, so that saving new ones tells whether it had been seen whole."""
        redemption_written = self.redemption is None or self.redemption.version > 0
        return self.order.version > 0 and self.window.version > 0 and redemption_written


def decide(submission: Submission, guards: Guards, policy: Policy, metadata: Metadata) -> None:
    """Record on the three streams what follows from the request: a refusal, or the intent to pay.

    Rules are asked in the order of `refusals.PRECEDENCE`. The caller saves all three streams in one commit; when that
    loses a race it loads them afresh and decides again.
    """
    order, window = guards.order, guards.window
    order.request(
        metadata,
        requester=submission.requester,
        application=submission.application,
        role=submission.role,
        designation=submission.designation,
        client_id=submission.client_id,
        lines=submission.lines,
        catalog_version=submission.catalog_version,
        duplicate_window_id=window.id,
        request_digest=submission.request_digest,
        personal=submission.personal,
    )
    try:
        terms = _require_allowed(submission, guards, metadata)
    except Refusal as refusal:
        order.refuse(metadata, refusal)
        return
    if terms is not None and guards.redemption is not None:
        order.apply_promotion(
            metadata,
            terms,
            redemption_id=guards.redemption.id,
            discounts=discounts_cents(submission.lines, terms),
        )
        guards.redemption.reserve(
            metadata, promotion_id=terms.promotion_id, holder=submission.promotion_holder, order_id=order.id
        )
    window.open(metadata, order_id=order.id, client_id=submission.client_id)
    if order.total_cents:
        assert submission.card is not None
        order.attempt_payment(metadata, submission.card, submission.invoice_number)
    else:
        _submit_unpaid(guards, policy, metadata)


def _require_allowed(submission: Submission, guards: Guards, metadata: Metadata) -> PromotionTerms | None:
    """The promotion terms to apply, if any; else the first refusal."""
    at = metadata.recorded_at
    terms: PromotionTerms | None = None
    if submission.promotion_asked:
        terms = require_applicable(
            submission.promotion,
            designation=submission.designation,
            by_application=submission.by_application,
            at=at,
        )
    guards.window.require_free(guards.order.id, at)
    if terms is not None:
        assert guards.redemption is not None
        guards.redemption.require_free(guards.order.id, terms.promotion_id)
    card = submission.card
    if card is not None and card.expired(at) and amount_due_cents(submission.lines, terms):
        raise CardExpired(f"last-day-{card.last_day()}")
    return terms


def amount_due_cents(lines: tuple[Line, ...], terms: PromotionTerms | None) -> int:
    """What is to be paid for the lines under the terms."""
    return sum(line.base_price_cents for line in lines) - sum(discounts_cents(lines, terms))


def _submit_unpaid(guards: Guards, policy: Policy, metadata: Metadata) -> None:
    guards.order.waive_payment(metadata)
    if guards.redemption is not None:
        guards.redemption.redeem(metadata, guards.order.id)
    guards.window.close(
        metadata,
        order_id=guards.order.id,
        outcome=PaymentState.WAIVED,
        blocked_until=metadata.recorded_at + timedelta(seconds=policy.duplicate_window_s),
    )


def redemption_holder(requester: str, by_application: bool, client_id: int) -> str:
    """Whose one use it is: the user's, or the client's where an application acts as itself."""
    return f"client:{client_id}" if by_application else requester

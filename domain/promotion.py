"""Promotions: their terms over time, and the guard that lets each user redeem one once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.refusals import InvalidPromotion, PromotionExpended
from domain.stream import Metadata, Stream


@dataclass(frozen=True)
class PromotionTerms:
    """The terms of a promotion at one version of its stream. Exactly one of percent and amount is set."""

    promotion_id: UUID
    version: int
    code: str
    percent_off: int | None = None  # 1..100
    amount_off_cents: int | None = None
    designation: str | None = None  # the kind of user it is meant for; None: everybody
    active: bool = True
    starts_at: datetime | None = None
    ends_at: datetime | None = None  # the first instant at which it no longer holds


def require_applicable(
    terms: PromotionTerms | None, *, designation: str | None, by_application: bool, at: datetime
) -> PromotionTerms:
    """The terms, if this requester may use them now; else InvalidPromotion with the rule that refused."""
    if terms is None:
        raise InvalidPromotion("unknown-code")
    refused: str | None = None
    if not terms.active:
        refused = "inactive"
    elif terms.starts_at is not None and at < terms.starts_at:
        refused = "not-started"
    elif terms.ends_at is not None and at >= terms.ends_at:
        refused = "ended"
    elif terms.designation is not None and by_application:
        refused = "application-has-no-designation"
    elif terms.designation is not None and terms.designation != designation:
        refused = "other-designation"
    if refused is not None:
        raise InvalidPromotion(refused, promotion_id=terms.promotion_id)
    return terms


class Promotion(Stream):
    """The history of one promotion's terms: which held when."""

    class Event(Stream.Event):
        pass

    class Created(Event):
        TOPIC = "promotion.created.v1"

        code: str
        percent_off: int | None
        amount_off_cents: int | None
        designation: str | None
        starts_at: datetime | None
        ends_at: datetime | None

        def apply(self, promotion: Promotion) -> None:
            promotion.terms = _terms(self)
            promotion.active = True

    class Changed(Event):
        """All terms as they are from now on, also when an inactive promotion is made active again."""

        TOPIC = "promotion.changed.v1"

        code: str
        percent_off: int | None
        amount_off_cents: int | None
        designation: str | None
        starts_at: datetime | None
        ends_at: datetime | None

        def apply(self, promotion: Promotion) -> None:
            promotion.terms = _terms(self)
            promotion.active = True

    class Deactivated(Event):
        TOPIC = "promotion.deactivated.v1"

        def apply(self, promotion: Promotion) -> None:
            promotion.active = False

    def __init__(self) -> None:
        self.terms: PromotionTerms | None = None
        self.active = False

    def define(self, metadata: Metadata, wanted: PromotionTerms) -> None:
        """Give the promotion these terms from now on. The same terms again change nothing."""
        if not wanted.active:
            if self.active:
                self.record(metadata, self.Deactivated)
            return
        if self.active and self.terms is not None and _content(self.terms) == _content(wanted):
            return
        self.record(
            metadata,
            self.Created if self.version == 0 else self.Changed,
            code=wanted.code,
            percent_off=wanted.percent_off,
            amount_off_cents=wanted.amount_off_cents,
            designation=wanted.designation,
            starts_at=wanted.starts_at,
            ends_at=wanted.ends_at,
        )


def _terms(event: Promotion.Created | Promotion.Changed) -> PromotionTerms:
    return PromotionTerms(
        promotion_id=event.originator_id,
        version=event.originator_version,
        code=event.code,
        percent_off=event.percent_off,
        amount_off_cents=event.amount_off_cents,
        designation=event.designation,
        starts_at=event.starts_at,
        ends_at=event.ends_at,
    )


def _content(terms: PromotionTerms) -> tuple[object, ...]:
    return (
        terms.code,
        terms.percent_off,
        terms.amount_off_cents,
        terms.designation,
        terms.starts_at,
        terms.ends_at,
    )


class PromotionRedemption(Stream):
    """One user's one use of one promotion: reserved with the intent, redeemed with the charge, else released."""

    class Event(Stream.Event):
        pass

    class Reserved(Event):
        TOPIC = "promotion-redemption.reserved.v1"

        promotion_id: UUID
        holder: str  # user:11, or client:11 where an application acts
        order_id: UUID

        def apply(self, redemption: PromotionRedemption) -> None:
            redemption.held_by = self.order_id

    class Redeemed(Event):
        TOPIC = "promotion-redemption.redeemed.v1"

        order_id: UUID

        def apply(self, redemption: PromotionRedemption) -> None:
            redemption.redeemed = True

    class Released(Event):
        TOPIC = "promotion-redemption.released.v1"

        order_id: UUID

        def apply(self, redemption: PromotionRedemption) -> None:
            redemption.held_by = None

    def __init__(self) -> None:
        self.held_by: UUID | None = None  # the order that has reserved or redeemed it
        self.redeemed = False

    def require_free(self, order_id: UUID, promotion_id: UUID) -> None:
        """Raise PromotionExpended if another order holds or has used it."""
        if self.held_by is not None and self.held_by != order_id:
            rule = "already-redeemed" if self.redeemed else "held-by-another-order"
            raise PromotionExpended(rule, promotion_id=promotion_id, earlier_order_id=self.held_by)

    def reserve(self, metadata: Metadata, *, promotion_id: UUID, holder: str, order_id: UUID) -> None:
        self.require_free(order_id, promotion_id)
        if self.held_by is None:
            self.record(metadata, self.Reserved, promotion_id=promotion_id, holder=holder, order_id=order_id)

    def redeem(self, metadata: Metadata, order_id: UUID) -> None:
        if self.held_by == order_id and not self.redeemed:
            self.record(metadata, self.Redeemed, order_id=order_id)

    def release(self, metadata: Metadata, order_id: UUID) -> None:
        if self.held_by == order_id and not self.redeemed:
            self.record(metadata, self.Released, order_id=order_id)

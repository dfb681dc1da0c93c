"""Example data and one vocabulary for the domain's tests: given events, when a decision, then events."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain import endings
from domain.duplicate_window import DuplicateWindow
from domain.order import Order
from domain.payment import Card, FoundBy, GatewayCodes
from domain.personal_data import SealedPersonalData
from domain.policy import Policy
from domain.pricing import Line
from domain.promotion import PromotionRedemption, PromotionTerms
from domain.stream import Metadata, Stream
from domain.submission import Guards, Submission, decide

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
POLICY = Policy()
CODES = GatewayCodes("1", "1", "I00001")
PHOTOS = Line("photos", "Photos", "primary", 1, 15, 18_500)
TWILIGHT = Line("twilight_photography_add_on", "Twilight Photography", "add_on", 14, 1, 12_500)
CARD = Card(101, "900000001", "800000001", "Visa", "1111", 12, 2031)
PROMOTION_ID = UUID(int=500)
SPRING10 = PromotionTerms(PROMOTION_ID, 1, "SPRING10", percent_off=10)
EVERYTHING_OFF = PromotionTerms(PROMOTION_ID, 1, "GIFT", percent_off=100)


def metadata(at: datetime = NOW, request: str = "req_1") -> Metadata:
    return Metadata(at, "user:1", request, request)


def after(seconds: float) -> Metadata:
    return metadata(NOW + timedelta(seconds=seconds))


def submission(
    *lines: Line,
    promotion: PromotionTerms | None = None,
    promotion_asked: bool | None = None,
    card: Card | None = CARD,
    designation: str | None = "agent",
    role: str = "client",
) -> Submission:
    return Submission(
        requester="user:1",
        application="planoorder",
        role=role,
        designation=designation,
        client_id=11,
        lines=lines or (PHOTOS,),
        catalog_version="c1",
        request_digest="digest",
        personal=SealedPersonalData("key", "nonce", "sealed"),
        promotion_asked=promotion is not None if promotion_asked is None else promotion_asked,
        promotion=promotion,
        promotion_holder="user:1",
        card=card,
        invoice_number="A" * 20,
    )


def fresh(order_number: int = 1, *, like: Guards | None = None, with_redemption: bool = True) -> Guards:
    """A new order; its window and redemption are those of an earlier order where one is given."""
    return Guards(
        Order.empty(UUID(int=order_number)),
        like.window if like else DuplicateWindow.empty(UUID(int=1000)),
        (like.redemption if like else PromotionRedemption.empty(UUID(int=2000))) if with_redemption else None,
    )


def submitted(wanted: Submission, guards: Guards, at: Metadata | None = None) -> Guards:
    """When somebody asks for it: what the decision leaves behind, with its events still pending."""
    decide(wanted, guards, POLICY, at or metadata())
    return guards


def charged(guards: Guards, at: Metadata | None = None, transaction_id: str = "60001") -> Guards:
    endings.take_charge(
        guards,
        at or after(1),
        transaction_id=transaction_id,
        authorization_code="000123",
        codes=CODES,
        found_by=FoundBy.ANSWER,
        blocked_s=POLICY.duplicate_window_s,
    )
    return guards


def declined(guards: Guards, at: Metadata | None = None) -> Guards:
    endings.take_decline(
        guards,
        at or after(1),
        status="declined-payment",
        reason="declined-payment",
        transaction_id="60002",
        codes=replace(CODES, response_code="2", reason_code="2"),
        found_by=FoundBy.ANSWER,
    )
    return guards


def names(*streams: Stream | None) -> list[str]:
    """Then: the names of the events that were recorded, taken from the streams."""
    return [type(event).__name__ for stream in streams if stream is not None for event in stream.collect_events()]


def all_names(guards: Guards) -> list[str]:
    return names(guards.order, guards.redemption, guards.window)

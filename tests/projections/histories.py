"""Histories as the product writes them: orders with every ending, made by the domain's own decisions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain import endings
from domain.duplicate_window import DuplicateWindow
from domain.notification import Notification
from domain.order import Order
from domain.order_events import Delivery
from domain.payment import FoundBy, GatewayCodes
from domain.policy import Policy
from domain.promotion import Promotion, PromotionRedemption, PromotionTerms
from domain.stream import Metadata, Stream
from domain.submission import Guards, decide
from tests.domain.examples import CARD, CODES, PHOTOS, TWILIGHT, submission

START = datetime(2026, 11, 1, 23, 50, tzinfo=UTC)
POLICY = Policy()
PROMOTIONS = (
    PromotionTerms(UUID(int=501), 1, "SPRING10", percent_off=10),
    PromotionTerms(UUID(int=502), 1, "TAKE25", amount_off_cents=2500),
    PromotionTerms(UUID(int=503), 1, "GIFT", percent_off=100),
)
ENDINGS = (
    "sent", "mail-failed", "mail-resent", "voided", "refunded", "declined", "failed", "not-sent", "expired", "held",
    "open", "refused", "unexpected",
)  # fmt: skip


@dataclass(frozen=True)
class Wish:
    """One order, and how it is to end."""

    ending: str = "sent"
    promotion: int | None = None  # index into PROMOTIONS
    both: bool = False  # photos and twilight
    days: int = 0  # after START
    later_days: int = 0  # before a correction
    designation: str | None = "agent"


def promotion_events() -> list[Stream.Event]:
    """The promotions are created, one is changed, one is deactivated in the end."""
    found: list[Stream.Event] = []
    for terms in PROMOTIONS:
        promotion = Promotion.empty(terms.promotion_id)
        promotion.define(_at(START), terms)
        if terms.code == "TAKE25":
            promotion.define(_at(START), replace(terms, designation="agent"))
        if terms.code == "GIFT":
            promotion.define(_at(START), replace(terms, active=False))
        found += promotion.collect_events()  # type: ignore[arg-type]
    return found


def order_events(number: int, wish: Wish) -> list[Stream.Event]:
    """All that one order leaves in the log, in the order of its commits. `number` makes its ids."""
    return list(_order(number, wish))


def history(wishes: Iterable[Wish], first: int = 1) -> list[Stream.Event]:
    """The orders one after the other; their ids count from `first`."""
    return [event for number, wish in enumerate(wishes, start=first) for event in order_events(number, wish)]


def interleaved(histories: Sequence[Sequence[Stream.Event]]) -> Iterator[Stream.Event]:
    """An event of each in turn."""
    for place in range(max(map(len, histories), default=0)):
        for events in histories:
            yield from events[place : place + 1]


def _order(number: int, wish: Wish) -> Iterator[Stream.Event]:
    at = START + timedelta(days=wish.days, seconds=number % 1000)
    terms = PROMOTIONS[wish.promotion] if wish.promotion is not None else None
    guards = Guards(
        Order.empty(UUID(int=(1 << 80) + number)),
        DuplicateWindow.empty(UUID(int=(2 << 80) + number)),
        PromotionRedemption.empty(UUID(int=(3 << 80) + number)) if terms else None,
    )
    lines = (PHOTOS, TWILIGHT) if wish.both else (PHOTOS,)
    card = replace(CARD, exp_year=2020) if wish.ending == "refused" else CARD
    wanted = submission(*lines, promotion=terms, card=card, designation=wish.designation)
    decide(wanted._replace(invoice_number=f"{number:020}"), guards, POLICY, _at(at, number))
    yield from _collected(guards)
    if guards.order.has_ended:
        yield from _mailed(guards, at, number, wish)
        return
    _end(guards, wish.ending, at + timedelta(seconds=1), number)
    yield from _collected(guards)
    if guards.order.submitted_at is not None:
        yield from _mailed(guards, at, number, wish)
        yield from _corrected(guards, at + timedelta(days=wish.later_days, seconds=5), number, wish)
    elif wish.ending == "unexpected":
        _take_back(guards.order, _at(at, number), f"7{number:09}", void=True, unexpected=True)
        yield from _collected(guards)


def _end(guards: Guards, ending: str, at: datetime, number: int) -> None:
    order, when = guards.order, _at(at, number)
    no = replace(CODES, response_code="2", reason_code="2")
    match ending:
        case "declined" | "unexpected":
            endings.take_decline(
                guards, when, status="declined-payment", reason="declined-payment", transaction_id=None, codes=no,
                found_by=FoundBy.ANSWER,
            )  # fmt: skip
        case "failed":
            endings.take_failure(
                guards, when, status="external-application-error", reason="gateway-error", codes=GatewayCodes("3", "1")
            )
        case "not-sent":
            endings.take_not_sent(guards, when, "dns")
        case "open":
            order.record_unknown(when, "time-out", GatewayCodes())
        case "expired":
            order.record_unknown(when, "time-out", GatewayCodes())
            later = at + timedelta(seconds=POLICY.payment_expiry_s + 1)
            endings.take_expiry(guards, _at(later, number), POLICY, looked_up_at=later)
        case _:
            if ending == "held":
                order.record_held(when, transaction_id=f"6{number:09}", codes=CODES, found_by=FoundBy.ANSWER)
            endings.take_charge(
                guards, when, transaction_id=f"6{number:09}", authorization_code="000123", codes=CODES,
                found_by=FoundBy.ANSWER, blocked_s=120,
            )  # fmt: skip


def _mailed(guards: Guards, at: datetime, number: int, wish: Wish) -> Iterator[Stream.Event]:
    order, email_id = guards.order, f"{number:032x}"
    if order.submitted_at is None:
        return
    sent = Delivery(email_id, "sent", f"m{number}")
    if wish.ending not in ("mail-failed", "mail-resent"):
        order.record_emails(_at(at + timedelta(seconds=2), number), [sent])
    else:
        failed = Delivery(email_id, "failed", None, "PaymentRequired")
        order.record_emails(_at(at + timedelta(seconds=2), number), [failed])
        raised = Notification.empty(UUID(int=(4 << 80) + number))
        raised.raise_once(_at(at, number), kind="email-failed", order_id=order.id, message="m", action="a")
        yield from raised.collect_events()  # type: ignore[misc]
    if wish.ending == "mail-resent":
        order.attempt_emails(_at(at + timedelta(seconds=150), number), [email_id])
        order.record_emails(_at(at + timedelta(seconds=151), number), [sent])
    yield from _collected(guards)


def _corrected(guards: Guards, at: datetime, number: int, wish: Wish) -> Iterator[Stream.Event]:
    order = guards.order
    if order.payment is None or order.payment.transaction_id is None or wish.ending not in ("voided", "refunded"):
        return
    void = wish.ending == "voided"
    _take_back(order, _at(at, number), order.payment.transaction_id, void=void, unexpected=False)
    yield from _collected(guards)


def _take_back(order: Order, when: Metadata, transaction_id: str, *, void: bool, unexpected: bool) -> None:
    amount_cents = order.total_cents
    order.request_void(
        when, transaction_id=transaction_id, amount_cents=amount_cents, reason="wished", unexpected=unexpected
    )
    if void:
        order.record_void(when, transaction_id)
        return
    order.request_refund(
        when, transaction_id=transaction_id, amount_cents=amount_cents, reason="wished", unexpected=unexpected,
        refund_invoice_number="R" * 20,
    )  # fmt: skip
    order.record_refund(when, transaction_id, f"8{transaction_id[1:]}")


def _collected(guards: Guards) -> Iterator[Stream.Event]:
    for stream in (guards.order, guards.redemption, guards.window):
        if stream is not None:
            yield from stream.collect_events()  # type: ignore[misc]


def _at(at: datetime, number: int = 0) -> Metadata:
    request = f"req_{number:026}"
    return Metadata(at, "user:1", request, request)

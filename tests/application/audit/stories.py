"""Histories for audits: people order, pay and are refused by the domain's own decisions, on shared guards."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import psycopg

from application.adapters.log_scan import LogScan
from application.adapters.sql import make_engine
from application.audit.state import StoredRow
from application.stored_events import CODEC
from domain import endings
from domain.duplicate_window import DuplicateWindow
from domain.notification import Notification
from domain.order import Order
from domain.order_events import Delivery
from domain.payment import FoundBy, GatewayCodes
from domain.policy import Policy
from domain.pricing import Line
from domain.promotion import Promotion, PromotionRedemption, PromotionTerms
from domain.stream import Metadata, Stream
from domain.submission import Guards, decide
from tests.domain.examples import CARD, CODES, PHOTOS, TWILIGHT, submission

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
POLICY = Policy()
NO = replace(CODES, response_code="2", reason_code="2")
SPACE = UUID(int=77)


class Stories:
    """`events` is the log that comes of it, in the order of its commits; `now` moves with `later`."""

    def __init__(self) -> None:
        self.events: list[Stream.Event] = []
        self.now = START
        self.promotions: dict[str, Promotion] = {}
        self._guards: dict[UUID, Stream] = {}
        self._orders = 0

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def promotion(self, code: str, **terms: Any) -> PromotionTerms:
        """From now on the promotion has these terms."""
        promotion = self.promotions.setdefault(code, Promotion.empty(uuid5(SPACE, code)))
        promotion.define(self.by("operator:kim"), PromotionTerms(promotion.id, 0, code, **terms))
        self._keep(promotion)
        return self.terms(code)

    def terms(self, code: str) -> PromotionTerms:
        """As they are now."""
        promotion = self.promotions[code]
        assert promotion.terms is not None
        return replace(promotion.terms, version=promotion.version, active=promotion.active)

    def order(
        self,
        home: int = 0,
        *,
        user: str = "user:1",
        promotion: str | PromotionTerms | None = None,
        lines: tuple[Line, ...] = (PHOTOS, TWILIGHT),
        ending: str = "charged",
        expired_card: bool = False,
    ) -> Guards:
        """Somebody orders for a home (0: one of its own), and the payment ends so, unless a rule refuses."""
        self._orders += 1
        terms = self.terms(promotion) if isinstance(promotion, str) else promotion
        window = self._guard(DuplicateWindow, f"home {home or -self._orders}")
        redemption = self._guard(PromotionRedemption, f"{terms.promotion_id} {user}") if terms else None
        guards = Guards(Order.empty(uuid5(SPACE, f"order {self._orders}")), window, redemption)
        wanted = submission(*lines, promotion=terms, card=replace(CARD, exp_year=2020) if expired_card else CARD)
        wanted = wanted._replace(requester=user, promotion_holder=user, invoice_number=f"{self._orders:020}")
        decide(wanted, guards, POLICY, self.by(user))
        self._keep(guards.order, guards.redemption, guards.window)
        if not guards.order.has_ended:
            self.later(1)
            self.end(guards, ending, user)
        return guards

    def end(self, guards: Guards, ending: str, actor: str = "user:1") -> None:
        """The outcome of an open payment: charged, found (by recovery), declined, unknown, held or expired."""
        number, at = str(self._orders), self.by(actor)
        match ending:
            case "charged" | "found":
                found = ending == "found"
                endings.take_charge(
                    guards,
                    self.by("system:recovery") if found else at,
                    transaction_id=f"6000{number}",
                    authorization_code="000123",
                    codes=CODES,
                    found_by=FoundBy.LOOKUP if found else FoundBy.ANSWER,
                    blocked_s=POLICY.adopted_window_s if found else POLICY.duplicate_window_s,
                )
            case "declined":
                endings.take_decline(
                    guards, at, status="declined-payment", reason="declined-payment", transaction_id=None, codes=NO,
                    found_by=FoundBy.ANSWER,
                )  # fmt: skip
            case "unknown":
                guards.order.record_unknown(at, "time-out", GatewayCodes())
            case "held":
                guards.order.record_held(at, transaction_id=f"6000{number}", codes=CODES, found_by=FoundBy.ANSWER)
            case "expired":
                endings.take_expiry(guards, self.by("system:recovery"), POLICY, looked_up_at=self.now)
        self._keep(guards.order, guards.redemption, guards.window)

    def mailed(self, guards: Guards) -> None:
        guards.order.record_emails(self.by("user:1"), [Delivery("0" * 32, "sent", "m1")])
        self._keep(guards.order)

    def notified(self, notification: Notification) -> None:
        self._keep(notification)

    def taken_back(self, guards: Guards, *, refund: bool = False) -> None:
        """An operator has the charge voided, or refunded."""
        order = guards.order
        assert order.payment is not None
        assert order.payment.transaction_id is not None
        asked: dict[str, Any] = {
            "transaction_id": order.payment.transaction_id,
            "amount_cents": order.payment.amount_cents,
            "reason": "the client moved out",
            "unexpected": False,
        }
        if refund:
            order.request_refund(self.by("operator:kim"), refund_invoice_number="R" * 20, **asked)
            order.record_refund(self.by("system:corrections"), asked["transaction_id"], "80001")
        else:
            order.request_void(self.by("operator:kim"), **asked)
            order.record_void(self.by("system:corrections"), asked["transaction_id"])
        self._keep(order)

    def by(self, actor: str) -> Metadata:
        request = f"req_{len(self.events)}"
        return Metadata(self.now, actor, request, request)

    def rows(self) -> list[StoredRow]:
        """The log as it is stored, without a database."""
        stored = [CODEC.encode(event) for event in self.events]
        return [
            StoredRow(position, str(event.originator_id), event.originator_version, event.topic, event.state)
            for position, event in enumerate(stored, start=1)
        ]

    def position(self, order: Order, event_class: type[Stream.Event]) -> int:
        """Where an event of the order stands in the log."""
        found = [
            position
            for position, event in enumerate(self.events, start=1)
            if isinstance(event, event_class) and order.id in (event.originator_id, getattr(event, "order_id", None))
        ]
        return found[0]

    def _guard(self, aggregate: type[Any], name: str) -> Any:
        stream_id = uuid5(SPACE, name)
        return self._guards.setdefault(stream_id, aggregate.empty(stream_id))

    def _keep(self, *streams: Stream | None) -> None:
        for stream in streams:
            if stream is not None:
                self.events += stream.collect_events()  # type: ignore[arg-type]


def every_ending() -> Stories:
    """Orders that end in every way, with promotions that change in between."""
    log = Stories()
    log.promotion("SPRING10", percent_off=10)
    log.promotion("TAKE25", amount_off_cents=2500)
    log.promotion("GIFT", percent_off=100)
    log.later(60)
    log.mailed(log.order(1, promotion="SPRING10"))
    log.order(1)  # refused: just paid
    log.order(2, user="user:2", promotion="SPRING10", ending="declined")
    log.order(2, user="user:2", promotion="SPRING10")  # given back, so used again
    log.order(3, user="user:2", promotion="SPRING10")  # refused: used
    log.order(4, user="user:3", promotion="GIFT")
    log.order(5, expired_card=True)
    log.promotion("TAKE25", amount_off_cents=3000)
    log.later(90)
    open_order = log.order(6, user="user:4", promotion="TAKE25", ending="unknown")
    log.order(6, user="user:5")  # refused: the earlier payment is open
    log.order(7, ending="held")
    lost = log.order(8, user="user:5", promotion="TAKE25", ending="unknown")
    log.later(1000)
    log.end(lost, "expired")
    log.end(open_order, "found")
    log.taken_back(log.order(9))
    log.taken_back(log.order(10, promotion="TAKE25"), refund=True)
    return log


# --- the same on a database -------------------------------------------------------------------------------------------


@contextmanager
def opened_scan(url: str) -> Iterator[LogScan]:
    engine = make_engine(url)
    try:
        yield LogScan(engine)
    finally:
        engine.dispose()


def tamper(url: str, position: int, change: Callable[[dict[str, Any]], None]) -> bytes:
    """Somebody edits a stored event; the bytes as they were."""
    before = _state(url, position)
    state = json.loads(before)
    change(state)
    restore(url, position, json.dumps(state, separators=(",", ":")).encode())
    return before


def restore(url: str, position: int, state: bytes) -> None:
    statement = "UPDATE stored_events SET state = {0} WHERE notification_id = {0}"
    execute(url, statement, (state, position))


def execute(url: str, statement: str, values: tuple[Any, ...] = ()) -> None:
    """A statement of somebody with access to the database; `{0}` is a value."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file, file:
            file.execute(statement.format("?"), values)
        return
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.format("%s").encode(), values)


def _state(url: str, position: int) -> bytes:
    with opened_scan(url) as scan:
        (row,) = scan.page(position - 1, 1)
    return bytes(row.state)

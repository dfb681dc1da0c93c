"""Replays history under another policy. It is made of stored events and nothing else: it can reach no gateway, no mail
provider and no directory, and it writes nothing.

Each order is decided again in the order of the log, by the rules of `refusals.PRECEDENCE`, on duplicate windows and
promotion uses as they would have been. Under the policy that held it finds no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from application.audit import facts
from application.audit.deciding_again import Terms, decide_again
from application.audit.guard_checks import terms_of
from application.audit.other_policy import Difference, Findings, OtherPolicy, PromotionPolicy, Verdict
from application.audit.other_world import OtherWorld, Use
from application.audit.state import StoredRow
from domain.duplicate_window import DuplicateWindow
from domain.order import Order
from domain.payment import PaymentState
from domain.promotion import Promotion, PromotionRedemption, PromotionTerms
from domain.submission import redemption_holder

DEFAULT_WINDOW_S = 120  # until the log shows another
MARGIN = timedelta(days=2)  # no window blocks for longer, and no clock is further off


@dataclass
class _Case:
    """One order from its request until its window has closed, or for good where it differs."""

    fact: facts.Requested
    position: int
    applied: facts.PromotionApplied | None = None
    accepted: bool = False
    closed: bool = False  # its window has closed without waiting for what happened then
    difference: Difference | None = None
    transaction_id: str | None = None


class WhatIf:
    """Take all rows of the log in order, then ask for the findings."""

    def __init__(self, policy: OtherPolicy) -> None:
        self._policy = policy
        self._world = OtherWorld()
        self._cases: dict[str, _Case] = {}
        self._terms: dict[str, PromotionTerms] = {}  # as they are at this position
        self._window_s: float = DEFAULT_WINDOW_S  # as the log shows it
        self._orders = self._charged_cents = self._position = 0
        self._differences: list[Difference] = []
        self.codes: set[str] = set()  # of all promotions that the log knows

    def page(self, rows: Iterable[StoredRow]) -> None:
        """The next events. Raises one of UNREADABLE for one that cannot be read."""
        for row in rows:
            found = _TAKES.get(row.topic)
            if found is not None:
                read, take = found
                take(self, read(row.state), row)
            self._position = row.position

    def findings(self) -> Findings:
        """What the whole of it comes to."""
        return Findings(self._orders, tuple(self._differences), self._charged_cents, self._position)

    # --- the intent ---------------------------------------------------------------------------------------------------

    def requested(self, fact: facts.Requested, row: StoredRow) -> None:
        self._cases[row.stream_id] = _Case(fact, row.position)
        self._orders += self._policy.holds(fact.timestamp)
        self._world.forget(fact.timestamp - MARGIN)

    def promotion_applied(self, fact: facts.PromotionApplied, row: StoredRow) -> None:
        self.codes.add(fact.code)
        if case := self._cases.get(row.stream_id):
            case.applied = fact

    def refused(self, fact: facts.Refused, row: StoredRow) -> None:
        if case := self._cases.get(row.stream_id):
            was = Verdict(case.fact.subtotal_cents, fact.status, fact.rule)
            self._decide(row.stream_id, case, was, fact.promotion_id)

    def attempted(self, fact: facts.PaymentAttempted, row: StoredRow) -> None:
        if case := self._cases.get(row.stream_id):
            self._decide(row.stream_id, case, Verdict(fact.amount_cents), None)

    def waived(self, fact: facts.Fact, row: StoredRow) -> None:
        if case := self._cases.get(row.stream_id):
            self._decide(row.stream_id, case, Verdict(0), None)

    def _decide(self, order_id: str, case: _Case, was: Verdict, promotion_id: str | None) -> None:
        """Decide again, and take the order into the other world where it is accepted there."""
        at, window_id = case.fact.timestamp, case.fact.duplicate_window_id
        promotion_id = case.applied.promotion_id if case.applied else promotion_id
        terms = self._terms_of(case, promotion_id)
        other = self._other(terms, at)
        use = self._use(case, promotion_id) if promotion_id else None
        would = decide_again(self._world, case.fact, was, Terms(terms, other, use))
        if would != was:
            case.difference = Difference(UUID(order_id), case.position, at, was, would)
            self._differences.append(case.difference)
        case.accepted = would.accepted
        if not would.accepted:
            self._drop(order_id, case)
            return
        self._world.accept(order_id, window_id, use)
        if not was.accepted or (
            was.total_cents and not would.total_cents
        ):  # what happened then cannot tell how it went
            self._world.close(order_id, window_id, at + timedelta(seconds=self._blocked_s(at)))
            self._world.redeem(order_id)
            case.closed = True
        if case.difference and would.total_cents and (not was.accepted or not was.total_cents):
            case.difference.would_keep_cents = None

    def _terms_of(self, case: _Case, promotion_id: str | None) -> PromotionTerms | None:
        """Those that were applied; of a refused order those of that moment."""
        if case.applied is None:
            return self._terms.get(promotion_id or "")
        applied = case.applied
        return PromotionTerms(
            UUID(applied.promotion_id),
            applied.promotion_version,
            applied.code,
            applied.percent_off,
            applied.amount_off_cents,
        )

    def _other(self, terms: PromotionTerms | None, at: datetime) -> PromotionPolicy:
        if terms is None or not self._policy.holds(at):
            return PromotionPolicy()
        return self._policy.promotions.get(terms.code, PromotionPolicy())

    def _use(self, case: _Case, promotion_id: str) -> Use:
        fact = case.fact
        return promotion_id, redemption_holder(fact.requester, fact.role == "application", fact.client_id)

    # --- what became of it --------------------------------------------------------------------------------------------

    def charged(self, fact: facts.PaymentCharged, row: StoredRow) -> None:
        case = self._cases.get(row.stream_id)
        if case is None:
            return
        if self._policy.holds(case.fact.timestamp):
            self._charged_cents += fact.amount_cents
        case.transaction_id = fact.transaction_id
        if difference := case.difference:
            difference.was_kept_cents = fact.amount_cents
            if difference.would.accepted:
                difference.would_keep_cents = difference.would.total_cents

    def taken_back(self, fact: facts.Correction, row: StoredRow) -> None:
        """What the order paid is kept in neither world."""
        case = self._cases.get(row.stream_id)
        if case and case.difference and case.transaction_id == fact.transaction_id:
            case.difference.was_kept_cents = case.difference.would_keep_cents = 0

    def window_closed(self, fact: facts.WindowClosed, row: StoredRow) -> None:
        case = self._cases.get(fact.order_id)
        blocked_s = (fact.blocked_until - fact.timestamp).total_seconds()
        by_answer = not fact.actor.startswith("system:")  # a charge that was found later blocks longer, as it did
        if blocked_s and by_answer:
            self._window_s = blocked_s
        if case is None:
            return
        if case.accepted and not case.closed:
            if fact.outcome in (PaymentState.CHARGED, PaymentState.WAIVED) and by_answer:
                blocked_s = self._blocked_s(case.fact.timestamp)
            self._world.close(fact.order_id, row.stream_id, fact.timestamp + timedelta(seconds=blocked_s))
        self._drop(fact.order_id, case)

    def redeemed(self, fact: facts.Redemption, row: StoredRow) -> None:
        self._world.redeem(fact.order_id)

    def released(self, fact: facts.Redemption, row: StoredRow) -> None:
        self._world.release(fact.order_id)

    def terms_set(self, fact: facts.Terms, row: StoredRow) -> None:
        self._terms[row.stream_id] = terms_of(fact, row)
        self.codes.add(fact.code)

    def _drop(self, order_id: str, case: _Case) -> None:
        if case.difference is None:
            del self._cases[order_id]

    def _blocked_s(self, requested_at: datetime) -> float:
        """How long a yes blocks, for an order of that time."""
        other_s = self._policy.duplicate_window_s
        return self._window_s if other_s is None or not self._policy.holds(requested_at) else other_s


_BY_CLASS: dict[Any, Callable[[WhatIf, Any, StoredRow], None]] = {
    Order.Requested: WhatIf.requested,
    Order.PromotionApplied: WhatIf.promotion_applied,
    Order.Refused: WhatIf.refused,
    Order.PaymentAttempted: WhatIf.attempted,
    Order.PaymentWaived: WhatIf.waived,
    Order.PaymentCharged: WhatIf.charged,
    Order.PaymentVoided: WhatIf.taken_back,
    Order.PaymentRefunded: WhatIf.taken_back,
    DuplicateWindow.Closed: WhatIf.window_closed,
    PromotionRedemption.Redeemed: WhatIf.redeemed,
    PromotionRedemption.Released: WhatIf.released,
    Promotion.Created: WhatIf.terms_set,
    Promotion.Changed: WhatIf.terms_set,
}
_TAKES = {
    topic: (facts.reader_of(topic), take)
    for topic, take in ((facts.topic_of(event_class), take) for event_class, take in _BY_CLASS.items())
}

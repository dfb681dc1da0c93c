"""What an order's events must say: totals that follow from the priced lines and the promotion's terms of that moment,
one charge at most, submitted if and only if charged or waived, and nothing after the end but taking money back.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from application.audit import facts
from application.audit.state import OrderState, StoredRow
from domain.order import Order
from domain.order_events import OrderState as Stage
from domain.pricing import discounts_cents, subtotal_cents
from domain.promotion import PromotionTerms, require_applicable
from domain.refusals import InvalidPromotion

if TYPE_CHECKING:
    from application.audit.checking import LogCheck, Take

STALE_TERMS = timedelta(seconds=60)  # a request goes by what the directory said a moment before


def requested(order: OrderState, fact: facts.Requested, log: LogCheck, row: StoredRow) -> None:
    if order.stage:
        log.differs(row, "requested-once", "requested again", "one request per order")
    order.stage = "requested"
    order.lines = fact.lines
    order.subtotal_cents = order.total_cents = subtotal_cents(fact.lines)
    order.designation, order.by_application = fact.designation, fact.role == "application"
    order.window_id = fact.duplicate_window_id
    if not log.quiet:
        log.orders += 1
    if fact.subtotal_cents != order.subtotal_cents:
        log.differs(row, "subtotal", f"{fact.subtotal_cents} cents", f"{order.subtotal_cents} cents by its lines")


def refused(order: OrderState, fact: facts.Refused, log: LogCheck, row: StoredRow) -> None:
    _require(order, ("requested",), log, row)
    _become(order, "refused", Stage.REFUSED, log)


def promotion_applied(order: OrderState, fact: facts.PromotionApplied, log: LogCheck, row: StoredRow) -> None:
    """The terms are those that the promotion's own stream has under that version, and the sums follow from them."""
    _require(order, ("requested",), log, row)
    order.redemption_id, order.promotion_id = fact.redemption_id, fact.promotion_id
    terms = _terms_then(order, fact, log, row)
    if terms is not None:
        right = discounts_cents(order.lines, terms)
        if fact.discounts_cents != right:
            log.differs(row, "discount-split", list(fact.discounts_cents), f"{list(right)} by the promotion's terms")
    off = sum(fact.discounts_cents)
    if fact.discount_cents != off:
        log.differs(row, "discount", f"{fact.discount_cents} cents", f"{off} cents by its lines")
    order.total_cents = order.subtotal_cents - off
    if fact.total_cents != order.total_cents:
        log.differs(row, "total", f"{fact.total_cents} cents", f"{order.total_cents} cents")


def _terms_then(
    order: OrderState, fact: facts.PromotionApplied, log: LogCheck, row: StoredRow
) -> PromotionTerms | None:
    promotion = log.promotions.get(fact.promotion_id)
    terms = promotion.terms.get(fact.promotion_version) if promotion else None
    if promotion is None or terms is None:
        log.differs(row, "promotion-known", f"version {fact.promotion_version}", "terms recorded before the order")
        return None
    said = (fact.code, fact.percent_off, fact.amount_off_cents, fact.designation)
    right = (terms.code, terms.percent_off, terms.amount_off_cents, terms.designation)
    if said != right:
        log.differs(row, "promotion-terms", said, f"{right} by the promotion's own history")
    try:
        require_applicable(terms, designation=order.designation, by_application=order.by_application, at=fact.timestamp)
    except InvalidPromotion as refusal:
        log.differs(row, "promotion-applicable", "applied", f"refused: {refusal.rule}")
    superseded_at = promotion.superseded_at.get(fact.promotion_version)
    if superseded_at is not None and fact.timestamp - superseded_at > STALE_TERMS:
        log.differs(row, "promotion-current", f"version {fact.promotion_version}", f"version {promotion.version}")
    return terms


def attempted(order: OrderState, fact: facts.PaymentAttempted, log: LogCheck, row: StoredRow) -> None:
    _require(order, ("requested",), log, row)
    _amount(order, fact.amount_cents, log, row)
    _become(order, "open", Stage.PAYMENT_OPEN, log)


def held(order: OrderState, fact: facts.Fact, log: LogCheck, row: StoredRow) -> None:
    _require(order, ("open",), log, row)
    _become(order, "open", Stage.PAYMENT_HELD, log)


def unknown(order: OrderState, fact: facts.Fact, log: LogCheck, row: StoredRow) -> None:
    _require(order, ("open",), log, row)


def waived(order: OrderState, fact: facts.Fact, log: LogCheck, row: StoredRow) -> None:
    _require(order, ("requested",), log, row)
    if order.total_cents:
        log.differs(row, "waived", "nothing to pay", f"{order.total_cents} cents to pay")
    order.stage = "waived"


def charged(order: OrderState, fact: facts.PaymentCharged, log: LogCheck, row: StoredRow) -> None:
    if order.kept is not None:
        log.differs(row, "one-charge", "a second charge", f"the one charge {order.kept}")
    _require(order, ("open",), log, row)
    _amount(order, fact.amount_cents, log, row)
    order.kept, order.stage = fact.transaction_id, "charged"
    if not log.quiet:
        log.charged_cents += fact.amount_cents
        log.kept_cents += fact.amount_cents


def submitted(order: OrderState, fact: facts.Submitted, log: LogCheck, row: StoredRow) -> None:
    if order.stage not in ("charged", "waived"):
        found = f"submitted while {order.stage or 'never requested'}"
        log.differs(row, "submitted-iff-paid", found, "charged or waived")
    if fact.total_cents != order.total_cents:
        log.differs(row, "total", f"{fact.total_cents} cents", f"{order.total_cents} cents")
    _become(order, "submitted", Stage.SUBMITTED, log)


def _ending(state: Stage) -> Callable[[OrderState, facts.Ended, LogCheck, StoredRow], None]:
    def ended(order: OrderState, fact: facts.Ended, log: LogCheck, row: StoredRow) -> None:
        _require(order, ("open",), log, row)
        _become(order, "ended", state, log)

    return ended


def correction_asked(order: OrderState, fact: facts.Correction, log: LogCheck, row: StoredRow) -> None:
    if fact.transaction_id == order.kept:
        _amount(order, fact.amount_cents, log, row)
    order.corrections = {**(order.corrections or {}), fact.transaction_id: fact.amount_cents}


def _corrected(state: Stage) -> Callable[[OrderState, facts.Correction, LogCheck, StoredRow], None]:
    def corrected(order: OrderState, fact: facts.Correction, log: LogCheck, row: StoredRow) -> None:
        asked = dict(order.corrections or {})
        asked_cents = asked.pop(fact.transaction_id, None)  # what is done once is not done again
        order.corrections = asked or None
        if asked_cents is None:
            log.differs(row, "correction-asked", "taken back", "an intent recorded before it")
        elif asked_cents != fact.amount_cents:
            log.differs(row, "amount", f"{fact.amount_cents} cents", f"{asked_cents} cents as asked for")
        if fact.transaction_id == order.kept and order.stage == "submitted":
            if not log.quiet:
                log.kept_cents -= fact.amount_cents
            _become(order, "ended", state, log)

    return corrected


def check_guards(log: LogCheck, stream_id: str, order: OrderState) -> None:
    """At the end of a commit, the duplicate window and the promotion stand as the order does."""
    row = StoredRow(order.position, stream_id, order.version, "order", b"")
    if order.stage in ("charged", "waived"):
        log.differs(row, "submitted-iff-paid", f"{order.stage} and not submitted", "submitted in the same commit")
    paid = order.state in (Stage.SUBMITTED, Stage.VOIDED, Stage.REFUNDED)
    window, redemption = {"open": ("opened", "reserved"), "refused": (None, None)}.get(
        order.stage, ("closed", "redeemed" if paid else "released")
    )
    right = f"for an order that is {order.state}"
    if order.window != window:
        log.differs(row, "window-follows-order", order.window, f"{window} {right}")
    if order.redemption != (redemption if order.redemption_id else None):
        log.differs(row, "redemption-follows-order", order.redemption, f"{redemption} {right}")


def _require(order: OrderState, stages: tuple[str, ...], log: LogCheck, row: StoredRow) -> None:
    if order.stage not in stages:
        log.differs(row, "order-of-events", f"while {order.stage or 'never requested'}", f"while {' or '.join(stages)}")


def _amount(order: OrderState, amount_cents: int, log: LogCheck, row: StoredRow) -> None:
    if amount_cents != order.total_cents:
        log.differs(row, "amount", f"{amount_cents} cents", f"{order.total_cents} cents, the order's total")


def _become(order: OrderState, stage: str, state: Stage, log: LogCheck) -> None:
    order.stage = stage
    if not log.quiet:
        if order.state:
            log.states[order.state] -= 1
        log.states[state.value] += 1
    order.state = state.value


_TAKES: dict[Any, Any] = {
    Order.Requested: requested,
    Order.Refused: refused,
    Order.PromotionApplied: promotion_applied,
    Order.PaymentAttempted: attempted,
    Order.PaymentHeld: held,
    Order.PaymentOutcomeUnknown: unknown,
    Order.PaymentWaived: waived,
    Order.PaymentCharged: charged,
    Order.Submitted: submitted,
    Order.PaymentDeclined: _ending(Stage.DECLINED),
    Order.PaymentFailed: _ending(Stage.PAYMENT_FAILED),
    Order.PaymentNotSent: _ending(Stage.PAYMENT_FAILED),
    Order.PaymentExpired: _ending(Stage.PAYMENT_EXPIRED),
    Order.VoidRequested: correction_asked,
    Order.RefundRequested: correction_asked,
    Order.PaymentVoided: _corrected(Stage.VOIDED),
    Order.PaymentRefunded: _corrected(Stage.REFUNDED),
}
TAKES: dict[str, Take] = {facts.topic_of(event_class): take for event_class, take in _TAKES.items()}

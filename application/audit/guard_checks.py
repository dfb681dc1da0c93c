"""What the guards of orders must say: promotions, their one use per user, and duplicate windows."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from application.audit import facts
from application.audit.state import OrderState, PromotionState, RedemptionState, StoredRow, WindowState
from domain.duplicate_window import DuplicateWindow
from domain.payment import PaymentState
from domain.promotion import Promotion, PromotionRedemption, PromotionTerms

if TYPE_CHECKING:
    from application.audit.checking import LogCheck, Take

_YES = (PaymentState.CHARGED, PaymentState.WAIVED)


def _named(order_id: str, log: LogCheck, row: StoredRow, field: str, stream_id: str) -> OrderState | None:
    """The order that a guard's event names, if it also names the guard. Of other orders nothing may be known."""
    if log.quiet:
        return None
    order = log.streams.get(order_id)
    if isinstance(order, OrderState):
        if getattr(order, field) != stream_id:
            log.differs(row, "guard-of-order", order_id, f"an order that names this stream as its {field}")
        return order
    if log.whole:
        log.differs(row, "guard-of-order", order_id, "an order in the same commit")
    return None


# --- the duplicate window ---------------------------------------------------------------------------------------------


def opened(window: WindowState, fact: facts.WindowOpened, log: LogCheck, row: StoredRow) -> None:
    """Nobody else's payment is open, and none was made a moment ago."""
    if window.is_open:
        log.differs(row, "window", "opened", f"still open for order {window.order_id}")
    elif window.blocked_until is not None and fact.timestamp < window.blocked_until:
        log.differs(row, "window", f"opened at {fact.timestamp}", f"blocked until {window.blocked_until}")
    window.is_open, window.order_id = True, fact.order_id
    if order := _named(fact.order_id, log, row, "window_id", row.stream_id):
        order.window = "opened"


def closed(window: WindowState, fact: facts.WindowClosed, log: LogCheck, row: StoredRow) -> None:
    """Closed once, by the order that opened it; a yes goes on blocking, and nothing else does."""
    if not window.is_open or window.order_id != fact.order_id:
        log.differs(row, "window", f"closed for order {fact.order_id}", f"open for order {window.order_id}")
    blocks = fact.blocked_until > fact.timestamp
    if blocks and fact.outcome not in _YES:
        log.differs(row, "window-blocks", f"{fact.outcome} blocks until {fact.blocked_until}", "only a yes blocks")
    elif not blocks and fact.outcome in _YES:
        log.differs(row, "window-blocks", f"{fact.outcome} blocks nothing", "a yes blocks the same thing for a while")
    window.is_open, window.blocked_until = False, fact.blocked_until
    if order := _named(fact.order_id, log, row, "window_id", row.stream_id):
        order.window = "closed"


# --- one use per promotion and user -----------------------------------------------------------------------------------


def reserved(redemption: RedemptionState, fact: facts.Reserved, log: LogCheck, row: StoredRow) -> None:
    if redemption.held_by is not None:
        log.differs(row, "one-use", f"reserved for order {fact.order_id}", f"held by order {redemption.held_by}")
    if not log.quiet and fact.holder in log.used.get(fact.promotion_id, ()):
        log.differs(row, "one-use", f"reserved again for {fact.holder}", "one use per promotion and user")
    redemption.promotion_id, redemption.holder = fact.promotion_id, fact.holder
    redemption.held_by = fact.order_id
    if order := _named(fact.order_id, log, row, "redemption_id", row.stream_id):
        order.redemption = "reserved"
        if order.promotion_id != fact.promotion_id:
            log.differs(row, "promotion-of-order", fact.promotion_id, f"{order.promotion_id}, as the order says")


def redeemed(redemption: RedemptionState, fact: facts.Redemption, log: LogCheck, row: StoredRow) -> None:
    _require_held(redemption, fact, log, row)
    redemption.redeemed = True
    if log.quiet:
        return
    used = log.used.setdefault(redemption.promotion_id, set())
    if redemption.holder in used:
        log.differs(row, "one-use", f"used again by {redemption.holder}", "one use per promotion and user")
    used.add(redemption.holder)
    if order := _named(fact.order_id, log, row, "redemption_id", row.stream_id):
        order.redemption = "redeemed"


def released(redemption: RedemptionState, fact: facts.Redemption, log: LogCheck, row: StoredRow) -> None:
    _require_held(redemption, fact, log, row)
    redemption.held_by = None
    if order := _named(fact.order_id, log, row, "redemption_id", row.stream_id):
        order.redemption = "released"


def _require_held(redemption: RedemptionState, fact: facts.Redemption, log: LogCheck, row: StoredRow) -> None:
    if redemption.held_by != fact.order_id or redemption.redeemed:
        now = "used already" if redemption.redeemed else f"held by order {redemption.held_by}"
        log.differs(row, "one-use", f"order {fact.order_id}", now)


# --- the terms of promotions ------------------------------------------------------------------------------------------


def terms_set(promotion: PromotionState, fact: facts.Terms, log: LogCheck, row: StoredRow) -> None:
    promotion.superseded_at[row.version - 1] = fact.timestamp
    promotion.terms[row.version] = terms_of(fact, row)


def deactivated(promotion: PromotionState, fact: facts.Fact, log: LogCheck, row: StoredRow) -> None:
    promotion.superseded_at[row.version - 1] = fact.timestamp


def terms_of(fact: facts.Terms, row: StoredRow) -> PromotionTerms:
    """The terms that such an event sets."""
    return PromotionTerms(
        promotion_id=UUID(row.stream_id),
        version=row.version,
        code=fact.code,
        percent_off=fact.percent_off,
        amount_off_cents=fact.amount_off_cents,
        designation=fact.designation,
        starts_at=fact.starts_at,
        ends_at=fact.ends_at,
    )


WINDOW: dict[str, Take] = {
    facts.topic_of(DuplicateWindow.Opened): opened,
    facts.topic_of(DuplicateWindow.Closed): closed,
}
REDEMPTION: dict[str, Take] = {
    facts.topic_of(PromotionRedemption.Reserved): reserved,
    facts.topic_of(PromotionRedemption.Redeemed): redeemed,
    facts.topic_of(PromotionRedemption.Released): released,
}
PROMOTION: dict[str, Take] = {
    facts.topic_of(Promotion.Created): terms_set,
    facts.topic_of(Promotion.Changed): terms_set,
    facts.topic_of(Promotion.Deactivated): deactivated,
}

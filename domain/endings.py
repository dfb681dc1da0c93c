"""What an answer about the payment does to the three streams of an order. One commit each (T2).

The same functions serve the process that sent the charge and the recovery that found out later.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.duplicate_window import DuplicateWindow
from domain.order import Order
from domain.payment import FoundBy, GatewayCodes, PaymentState
from domain.policy import Policy
from domain.promotion import PromotionRedemption
from domain.stream import Metadata
from domain.submission import Guards


def take_charge(
    guards: Guards,
    metadata: Metadata,
    *,
    transaction_id: str,
    authorization_code: str,
    codes: GatewayCodes,
    found_by: FoundBy,
    blocked_s: int,
) -> None:
    """Yes: charged and submitted, redeemed, and the window stays shut for `blocked_s`.

    Longer where the client was told that the outcome is unknown: it may come back much later than one that was told
    "paid". Raises UnexpectedCharge.
    """
    guards.order.record_charge(
        metadata,
        transaction_id=transaction_id,
        authorization_code=authorization_code,
        codes=codes,
        found_by=found_by,
    )
    if guards.redemption is not None:
        guards.redemption.redeem(metadata, guards.order.id)
    _close(guards.window, guards.order, metadata, PaymentState.CHARGED, blocked_s)


def take_decline(
    guards: Guards,
    metadata: Metadata,
    *,
    status: str,
    reason: str,
    transaction_id: str | None,
    codes: GatewayCodes,
    found_by: FoundBy,
) -> None:
    """A definite no about the card: everything is free again at once."""
    guards.order.record_decline(
        metadata, status=status, reason=reason, transaction_id=transaction_id, codes=codes, found_by=found_by
    )
    _free(guards, metadata, PaymentState.DECLINED)


def take_part(
    guards: Guards,
    metadata: Metadata,
    *,
    transaction_id: str,
    amount_cents: int,
    codes: GatewayCodes,
    found_by: FoundBy,
) -> None:
    """A part was approved that nobody asked for: a no, and the part must be taken back."""
    reason = "partially-approved"
    take_decline(
        guards,
        metadata,
        status="failed-payment",
        reason=reason,
        transaction_id=transaction_id,
        codes=codes,
        found_by=found_by,
    )
    guards.order.request_void(
        metadata, transaction_id=transaction_id, amount_cents=amount_cents, reason=reason, unexpected=True
    )


def take_failure(guards: Guards, metadata: Metadata, *, status: str, reason: str, codes: GatewayCodes) -> None:
    """A definite no that is not the card's."""
    guards.order.record_failure(metadata, status=status, reason=reason, codes=codes)
    _free(guards, metadata, PaymentState.FAILED)


def take_not_sent(guards: Guards, metadata: Metadata, reason: str) -> None:
    """Nothing left this process, and nothing ever will for this attempt."""
    guards.order.record_not_sent(metadata, reason)
    _free(guards, metadata, PaymentState.NOT_SENT)


def take_expiry(guards: Guards, metadata: Metadata, policy: Policy, *, looked_up_at: datetime) -> None:
    """A complete lookup that began long enough after the intent found nothing."""
    payment = guards.order.payment
    assert payment is not None
    assert looked_up_at >= payment.attempted_at + timedelta(seconds=policy.payment_expiry_s), "too early to expire"
    guards.order.record_expiry(metadata, looked_up_at)
    _free(guards, metadata, PaymentState.EXPIRED)


def _free(guards: Guards, metadata: Metadata, outcome: PaymentState) -> None:
    """Release the promotion and shut the window without a block, if the order did end with this outcome."""
    payment = guards.order.payment
    if payment is None or payment.state is not outcome:
        return
    release(guards.redemption, guards.order, metadata)
    _close(guards.window, guards.order, metadata, outcome, blocked_s=0)


def release(redemption: PromotionRedemption | None, order: Order, metadata: Metadata) -> None:
    """Give the promotion back to its holder."""
    if redemption is not None:
        redemption.release(metadata, order.id)


def _close(window: DuplicateWindow, order: Order, metadata: Metadata, outcome: PaymentState, blocked_s: int) -> None:
    window.close(
        metadata,
        order_id=order.id,
        outcome=outcome,
        blocked_until=metadata.recorded_at + timedelta(seconds=blocked_s),
    )

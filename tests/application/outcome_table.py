"""The table of the money path: what the gateway can say, and everything that follows from it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from application.ports import (
    Approved,
    ChargeOutcome,
    Declined,
    DuplicateAtGateway,
    GatewayCodes,
    GatewayFailed,
    HeldForReview,
    LookupFailed,
    NotSent,
    OutcomeUnknown,
    PartiallyApproved,
    TransactionState,
)
from tests.application.world import PAID

NO_CODES = GatewayCodes("2", "2", "I00001")
ERROR = GatewayCodes("3", "5", "E00027")
HELD = GatewayCodes("4", "253", "I00001")
KEYS = GatewayCodes(None, None, "E00007")
DUPLICATE = GatewayCodes("3", "11", "E00027")
DISCOUNTED_CENTS = 16_650
GATEWAY_ERROR = "external-application-error"

REDEEMED, RESERVED, FREE = "redeemed", "reserved", "free"
PAID_WINDOW, OPEN_WINDOW, FREE_WINDOW = "blocked for 120 s", "open", "free at once"
RELEASE = ("duplicate-window.closed", "promotion-redemption.released")


@dataclass(frozen=True)
class Row:
    """One line of the table: what the gateway says, and everything that follows."""

    outcome: ChargeOutcome
    status: str
    events: tuple[str, ...]
    state: str
    payment: str
    promotion: str
    window: str
    detail: str | None = None
    notification: str | None = None
    found: TransactionState | LookupFailed | None = None  # what a lookup finds


def yes(outcome: ChargeOutcome, found: TransactionState | None = None) -> Row:
    events = (*PAID, "promotion-redemption.redeemed")
    return Row(outcome, "action-successful", events, "submitted", "charged", REDEEMED, PAID_WINDOW, found=found)


def declined(status: str) -> Row:
    events = ("order.payment-declined", *RELEASE)
    return Row(Declined(status, NO_CODES, "60001"), status, events, "declined", "declined", FREE, FREE_WINDOW)


def failed(outcome: ChargeOutcome, status: str, detail: str | None, notification: str | None = None) -> Row:
    raised = ("notification.raised",) if notification else ()
    events = ("order.payment-failed", RELEASE[0], *raised, RELEASE[1])
    return Row(outcome, status, events, "payment_failed", "failed", FREE, FREE_WINDOW, detail, notification)


def not_sent(reason: str) -> Row:
    events = ("order.payment-not-sent", *RELEASE)
    detail = "gateway-unreachable"
    return Row(NotSent(reason), GATEWAY_ERROR, events, "payment_failed", "not_sent", FREE, FREE_WINDOW, detail)


def unknown(outcome: ChargeOutcome, found: TransactionState | LookupFailed | None = None) -> Row:
    events, detail = ("order.payment-outcome-unknown",), "payment-outcome-unknown"
    return Row(outcome, GATEWAY_ERROR, events, "payment_open", "unknown", RESERVED, OPEN_WINDOW, detail, found=found)


HELD_ROW = Row(
    HeldForReview("60001", HELD),
    GATEWAY_ERROR,
    ("order.payment-held",),
    "payment_held",
    "held",
    RESERVED,
    OPEN_WINDOW,
    "payment-held-for-review",
)
PARTIAL_ROW = Row(
    PartiallyApproved("60001", GatewayCodes("4", "295", "I00001")),
    "failed-payment",
    ("order.payment-declined", "order.void-requested", *RELEASE),
    "declined",
    "declined",
    FREE,
    FREE_WINDOW,
)

DUPLICATE_OUTCOME = DuplicateAtGateway(DUPLICATE, "60001")
ROWS = {
    "approved": yes(Approved("60001", "000123", GatewayCodes("1", "1", "I00001"))),
    "declined": declined("declined-payment"),
    "bad number": declined("card-number-invalid"),
    "expired": declined("card-expired"),
    "unusable card": declined("failed-payment"),
    "partially approved": PARTIAL_ROW,
    "held": HELD_ROW,
    "gateway error": failed(GatewayFailed(GATEWAY_ERROR, ERROR), GATEWAY_ERROR, "gateway-error"),
    "keys refused": failed(
        GatewayFailed("invalid-payment-processor-api-keys", KEYS),
        "invalid-payment-processor-api-keys",
        None,
        "gateway-keys-refused",
    ),
    **{reason: not_sent(reason) for reason in ("connection-refused", "dns", "tls", "pool-exhausted")},
    **{r: unknown(OutcomeUnknown(r)) for r in ("time-out", "connection-lost", "http-5xx", "nonsense")},
    "gateway unsure": unknown(OutcomeUnknown("gateway-unsure", ERROR)),
    "duplicate, nothing found": failed(DUPLICATE_OUTCOME, "duplicate-payment", None),
    "duplicate, charge found": yes(DUPLICATE_OUTCOME, TransactionState.CAPTURED),
    "duplicate, settled charge found": yes(DUPLICATE_OUTCOME, TransactionState.SETTLED),
    "duplicate, held found": replace(HELD_ROW, outcome=DUPLICATE_OUTCOME, found=TransactionState.HELD),
    "duplicate, a no found": replace(
        failed(DUPLICATE_OUTCOME, "duplicate-payment", None), found=TransactionState.DECLINED
    ),
    "duplicate, lookup failed": unknown(DUPLICATE_OUTCOME, LookupFailed("time-out")),
}

"""What can go wrong at the vendors and in the database, each kind by its name, and who decides when it does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from application.ports import TransactionState as State

VISIBLE_WITHIN_S = 890.0  # the engine assumes that a charge shows in lookups 15 minutes after its intent; clocks differ


class ChargeFault(StrEnum):
    """How one charge ends at the gateway, and what its sender hears of it."""

    APPROVED = "approved"
    SLOW = "slow"
    DECLINED = "declined"
    GATEWAY_ERROR = "gateway-error"
    KEYS_REFUSED = "keys-refused"
    NOT_SENT = "not-sent"
    TIMEOUT_LANDED = "time-out-landed"
    TIMEOUT_LOST = "time-out-lost"
    TIMEOUT_LATE = "time-out-lands-late"
    TIMEOUT_HIDDEN = "time-out-landed-shows-late"
    TIMEOUT_TOO_LATE = "time-out-lands-after-the-assumed-time"
    TIMEOUT_DECLINED = "time-out-declined"
    TIMEOUT_HELD = "time-out-held-then-approved"
    TIMEOUT_PARTIAL = "time-out-partial"
    TIMEOUT_STRANGER = "time-out-landed-beside-a-stranger's"
    HTTP_5XX_LANDED = "5xx-landed"
    HTTP_5XX_LOST = "5xx-lost"
    NONSENSE_LANDED = "nonsense-landed"
    NONSENSE_LOST = "nonsense-lost"
    HELD_APPROVED = "held-approved"
    HELD_DECLINED = "held-declined"
    HELD_UNDECIDED = "held-never-decided"
    PARTIAL = "partial"
    ECHO = "duplicate-of-itself"
    ECHO_HIDDEN = "duplicate-of-itself-shows-late"
    DUPLICATE = "duplicate-by-the-processor"


@dataclass(frozen=True)
class ChargeScript:
    """`lands`: the state in which the gateway records it, None where it never arrives; `review`: how a hold ends."""

    answer: str
    lands: State | None = None
    lands_after_s: float = 0.1
    shows_after_s: float = 0.0
    answers_after_s: float = 0.3
    review: State | None = None
    review_after_s: float = 400.0
    stranger: bool = False  # somebody else has charged another card under the same invoice number


_TIME_OUT_S = 25.0
CHARGES = {
    ChargeFault.APPROVED: ChargeScript("approved", State.CAPTURED),
    ChargeFault.SLOW: ChargeScript("approved", State.CAPTURED, lands_after_s=19.0, answers_after_s=21.0),
    ChargeFault.DECLINED: ChargeScript("declined", State.DECLINED),
    ChargeFault.GATEWAY_ERROR: ChargeScript("failed"),
    ChargeFault.KEYS_REFUSED: ChargeScript("keys-refused"),
    ChargeFault.NOT_SENT: ChargeScript("not-sent"),
    ChargeFault.TIMEOUT_LANDED: ChargeScript("time-out", State.CAPTURED, answers_after_s=_TIME_OUT_S),
    ChargeFault.TIMEOUT_LOST: ChargeScript("time-out", answers_after_s=_TIME_OUT_S),
    ChargeFault.TIMEOUT_LATE: ChargeScript("time-out", State.CAPTURED, lands_after_s=800, answers_after_s=_TIME_OUT_S),
    ChargeFault.TIMEOUT_HIDDEN: ChargeScript("time-out", State.CAPTURED, 1.0, 870.0, _TIME_OUT_S),
    ChargeFault.TIMEOUT_TOO_LATE: ChargeScript("time-out", State.CAPTURED, 1300.0, 5.0, _TIME_OUT_S),
    ChargeFault.TIMEOUT_DECLINED: ChargeScript("time-out", State.DECLINED, answers_after_s=_TIME_OUT_S),
    ChargeFault.TIMEOUT_HELD: ChargeScript(
        "time-out", State.HELD, 1.0, 20.0, _TIME_OUT_S, review=State.CAPTURED, review_after_s=1_500.0
    ),
    ChargeFault.TIMEOUT_PARTIAL: ChargeScript("time-out", State.AUTHORIZED_ONLY, answers_after_s=_TIME_OUT_S),
    ChargeFault.TIMEOUT_STRANGER: ChargeScript("time-out", State.CAPTURED, 1.0, 90.0, _TIME_OUT_S, stranger=True),
    ChargeFault.HTTP_5XX_LANDED: ChargeScript("http-5xx", State.CAPTURED, shows_after_s=60.0),
    ChargeFault.HTTP_5XX_LOST: ChargeScript("http-5xx"),
    ChargeFault.NONSENSE_LANDED: ChargeScript("nonsense", State.CAPTURED),
    ChargeFault.NONSENSE_LOST: ChargeScript("nonsense"),
    ChargeFault.HELD_APPROVED: ChargeScript("held", State.HELD, review=State.CAPTURED, review_after_s=1_500.0),
    ChargeFault.HELD_DECLINED: ChargeScript("held", State.HELD, shows_after_s=30.0, review=State.DECLINED),
    ChargeFault.HELD_UNDECIDED: ChargeScript("held", State.HELD),
    ChargeFault.PARTIAL: ChargeScript("partial", State.AUTHORIZED_ONLY),
    ChargeFault.ECHO: ChargeScript("duplicate", State.CAPTURED),
    ChargeFault.ECHO_HIDDEN: ChargeScript("duplicate", State.CAPTURED, shows_after_s=200.0),
    ChargeFault.DUPLICATE: ChargeScript("duplicate"),
}


class InsertFault(StrEnum):
    """How one commit goes badly. `late`: the COMMIT that nobody heard of is carried out some seconds afterwards."""

    DOWN = "down"
    SLOW = "slow"
    UNKNOWN_WRITTEN = "commit-unknown-written"
    UNKNOWN_LOST = "commit-unknown-lost"
    UNKNOWN_LATE = "commit-unknown-written-late"


class CorrectionFault(StrEnum):
    """How a void, a refund or the decline of a held transaction ends badly."""

    REJECTED = "rejected"
    TIMEOUT_DONE = "time-out-done"
    TIMEOUT_LOST = "time-out-lost"
    NOT_SENT = "not-sent"
    HOLLOW = "accepted-but-not-done"


class MailFault(StrEnum):
    """How one message ends at the mail provider, and what its sender hears of it."""

    REJECTED = "rejected"
    DOWN = "down"
    ERROR = "error-answer"
    LOST_ANSWER = "answer-lost-sent"
    LOST = "answer-lost-not-sent"


LOOKUP_REASONS = ("busy", "time-out", "nonsense", "incomplete")


class Plan(Protocol):
    """Decides what goes wrong; None or False: nothing does. Delays are in seconds."""

    def charge(self) -> ChargeFault: ...

    def correction(self, kind: str) -> CorrectionFault | None: ...

    def lookup(self, kind: str) -> str | None:
        """The reason of a LookupFailed at the gateway."""
        ...

    def mail(self) -> MailFault | None: ...

    def search(self) -> str | None:
        """The reason of a LookupFailed at the mail provider."""
        ...

    def mail_shows_after_s(self) -> float: ...

    def refund_shows_after_s(self) -> float: ...

    def insert(self, label: str) -> InsertFault | None: ...

    def database_down(self) -> bool: ...

    def database_s(self) -> float: ...

    def vendor_s(self) -> float: ...

    def projection_s(self) -> float: ...

    def kills(self, number: int) -> bool:
        """Whether the process that makes this crossing (counted from 0 in the world) dies there."""
        ...

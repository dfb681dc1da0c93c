"""The payment profile ids of the sandbox: charge one of them, and the charge ends as its line says.

A payment profile id that is not listed is answered with E00040; the customer profile may be any number. The same
outcomes can be forced for any profile, and most of them for any operation, with POST /_faults.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Delivery(StrEnum):
    """How the answer reaches the caller, or what comes in its place."""

    ANSWER = "answer"
    SLOW = "slow"
    HANG = "hang"
    DROP = "drop"
    DROP_THEN_PERFORM = "drop-then-perform"
    HTTP_500 = "http-500"
    HTTP_502 = "http-502"
    NONSENSE = "nonsense"
    EMPTY = "empty"
    OVERSIZED = "oversized"


@dataclass(frozen=True)
class Outcome:
    """How a charge ends.

    `performed` says whether the gateway carries the request out, whatever the caller then sees. `status` is that of the
    transaction it records, None where it records none. `message` is the top-level code in place of I00001 or E00027.
    """

    slug: str
    meaning: str
    response_code: int = 1
    reason_code: int = 1
    status: str | None = "capturedPendingSettlement"
    message: str | None = None
    delivery: Delivery = Delivery.ANSWER
    performed: bool = True
    test_mode: bool = False

    @property
    def for_any_operation(self) -> bool:
        """Whether it makes sense for a void or a lookup too."""
        return self.message is not None or self.delivery is not Delivery.ANSWER or self.slug == "approved"


def _unanswered(slug: str, delivery: Delivery, meaning: str, *, performed: bool) -> Outcome:
    return Outcome(slug, meaning, delivery=delivery, performed=performed)


def _error(slug: str, reason_code: int, meaning: str) -> Outcome:
    return Outcome(slug, meaning, 3, reason_code, status=None)


def _message(slug: str, code: str, meaning: str) -> Outcome:
    return Outcome(slug, meaning, message=code, performed=False)


_OUTCOMES = (
    Outcome("approved", "approved and captured"),
    Outcome("declined", "declined by the bank (2/2)", 2, 2, status="declined"),
    _error("card-number-invalid", 6, "the card number is invalid (3/6)"),
    _error("card-expired", 8, "the card has expired (3/8)"),
    _error("card-type-refused", 17, "the merchant does not take this brand (3/17)"),
    Outcome("held", "held for review before authorization (4/252)", 4, 252, status="FDSPendingReview"),
    Outcome("held-authorized", "authorized, then held for review (4/253)", 4, 253, status="FDSAuthorizedPendingReview"),
    _message("bad-keys", "E00007", "the gateway refuses our keys (E00007)"),
    _error("login-refused", 13, "the gateway refuses our login id (3/13)"),
    _error("gateway-error", 5, "an error that is not the card's (3/5)"),
    _error("processor-unsure", 19, "the processor failed; nobody can tell whether it charged (3/19); it did not"),
    _message("gateway-unsure", "E00001", "the gateway failed; nobody can tell whether it charged (E00001); it did not"),
    _unanswered("time-out", Delivery.HANG, "never answers; not charged", performed=False),
    _unanswered("charged-then-dropped", Delivery.DROP, "charged, then the connection is aborted", performed=True),
    _unanswered("charged-then-time-out", Delivery.HANG, "charged, then never answers", performed=True),
    _unanswered("dropped-before-charge", Delivery.DROP, "the connection is aborted; not charged", performed=False),
    _unanswered("slow", Delivery.SLOW, "charged; the approval comes seconds later", performed=True),
    _unanswered("http-500", Delivery.HTTP_500, "HTTP 500; not charged", performed=False),
    _unanswered("http-502", Delivery.HTTP_502, "HTTP 502 with a page of HTML; charged all the same", performed=True),
    _unanswered("nonsense", Delivery.NONSENSE, "HTTP 200 with a body that is no answer; charged", performed=True),
    _unanswered("empty", Delivery.EMPTY, "HTTP 200 with an empty body; not charged", performed=False),
    _unanswered("oversized", Delivery.OVERSIZED, "charged; an answer of several megabytes", performed=True),
    _error("duplicate", 11, "the gateway calls it a duplicate (3/11)"),
    Outcome("partial", "only a part is approved (4/295)", 4, 295, status="authorizedPendingRelease"),
    Outcome("test-mode", "an approval in Test Mode: transaction id 0, not charged", status=None, test_mode=True),
    _unanswered(
        "approved-late", Delivery.DROP_THEN_PERFORM, "the connection is aborted; charged seconds later", performed=True
    ),
    _message("profile-not-found", "E00040", "the gateway does not know the payment profile (E00040)"),
)

FIRST_PROFILE_ID = 800_000_001
OUTCOMES = {outcome.slug: outcome for outcome in _OUTCOMES}
PROFILES = {str(FIRST_PROFILE_ID + place): outcome for place, outcome in enumerate(_OUTCOMES)}
PROFILE_IDS = {outcome.slug: profile_id for profile_id, outcome in PROFILES.items()}


def outcome_of(payment_profile_id: str) -> Outcome:
    """The outcome of a charge on that payment profile."""
    return PROFILES.get(payment_profile_id, OUTCOMES["profile-not-found"])

"""Which recipient meets which ending. The part before the @ decides, at any domain; from a `+` on it is ignored.

`reject`, `hard_bounce`, `soft_bounce` and `spam` are the vendor's own test recipients (there at test.mandrillapp.com).
Everybody else gets the mail.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Answer(StrEnum):
    """What the HTTP client sees."""

    ROWS = "rows"  # the usual list, one row per recipient
    ERROR = "error"  # a well-formed error object
    EMPTY = "empty"  # no body at all
    NONSENSE = "nonsense"  # an HTML page
    OVERSIZED = "oversized"  # JSON without end
    HANG = "hang"  # nothing, until the client gives up
    DROP = "drop"  # the connection is closed without an answer


@dataclass(frozen=True)
class Ending:
    """How one send ends. `accepted`: the message is in the outbox, whatever the client gets to see."""

    meaning: str  # for the page
    answer: Answer = Answer.ROWS
    accepted: bool = True
    status: str = "sent"  # of the row
    state: str = "sent"  # what a later search says
    reason: str | None = None  # reject_reason or queued_reason of the row
    error: str | None = None  # name of the error
    http_status: int = 200  # of an empty or nonsensical answer
    slow: bool = False
    first_only: bool = False  # a second send of the same email_id goes through
    broken_row: str | None = None  # no-id | odd-status | other-recipient


SENT: Final = Ending("sent")


def _refused(meaning: str, name: str, *, first_only: bool = False) -> Ending:
    return Ending(meaning, Answer.ERROR, accepted=False, error=name, first_only=first_only)


ENDINGS: Final[dict[str, Ending]] = {
    # the vendor's test recipients
    "reject": Ending("rejected by the provider", status="rejected", state="rejected", reason="custom"),
    "hard_bounce": Ending("sent, then bounced for good", state="bounced"),
    "soft_bounce": Ending("sent, then bounced for now", state="soft-bounced"),
    "spam": Ending("sent, then reported as spam", state="spam"),
    # other well-formed answers
    "mail-rejected": Ending(
        "rejected after an earlier bounce", status="rejected", state="rejected", reason="hard-bounce"
    ),
    "mail-invalid": Ending("the address is invalid", status="invalid", state="rejected", reason="invalid"),
    "mail-queued": Ending("queued", status="queued", state="queued", reason="backlogged"),
    "mail-scheduled": Ending("scheduled", status="scheduled", state="scheduled"),
    "mail-slow": Ending("sent, and answered after some seconds", slow=True),
    # definite errors
    "mail-error": _refused("ValidationError (400)", "ValidationError"),
    "mail-error-once": _refused("ValidationError, but the next try goes through", "ValidationError", first_only=True),
    "mail-bad-key": _refused("Invalid_Key (401)", "Invalid_Key"),
    "mail-unpaid": _refused("PaymentRequired (402)", "PaymentRequired"),
    "mail-500": _refused("GeneralError (500)", "GeneralError"),
    "mail-503": _refused("ServiceUnavailable (503)", "ServiceUnavailable"),
    # answers that say nothing
    "mail-empty": Ending("an empty 200", Answer.EMPTY, accepted=False),
    "mail-empty-500": Ending("an empty 500", Answer.EMPTY, accepted=False, http_status=500),
    "mail-nonsense": Ending("a 200 with an HTML page", Answer.NONSENSE, accepted=False),
    "mail-502": Ending("a 502 with an HTML page", Answer.NONSENSE, accepted=False, http_status=502),
    "mail-too-large": Ending("an answer of several megabytes", Answer.OVERSIZED, accepted=False),
    "mail-no-id": Ending("sent, but the row has no _id", broken_row="no-id"),
    "mail-odd-status": Ending("sent, but the row has a status nobody knows", broken_row="odd-status"),
    "mail-other-row": Ending("sent, but the row names another recipient", broken_row="other-recipient"),
    # no answer
    "mail-timeout": Ending("never answered, not sent", Answer.HANG, accepted=False),
    "mail-timeout-once": Ending(
        "never answered, but the next try goes through", Answer.HANG, accepted=False, first_only=True
    ),
    "mail-dropped": Ending("connection closed, not sent", Answer.DROP, accepted=False),
    "mail-sent-then-timeout": Ending("sent, never answered", Answer.HANG),
    "mail-sent-then-dropped": Ending("sent, connection closed without an answer", Answer.DROP),
}


def ending_for(address: str, earlier_calls: int) -> Ending:
    """The ending for an address, of whose message `earlier_calls` sends were seen before this one."""
    local = address.rpartition("@")[0].partition("+")[0].strip().lower()
    ending = ENDINGS.get(local, SENT)
    return SENT if ending.first_only and earlier_calls else ending

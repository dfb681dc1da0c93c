"""The time limits of the money path, in one value that is passed in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Policy:
    """All in seconds."""

    duplicate_window_s: int = 120  # the same thing is not paid twice within this time after a yes
    adopted_window_s: int = 86_400  # ... after a charge that was found later: the client was told "unknown"
    payment_expiry_s: int = 900  # an attempt that no complete lookup finds after this never happened
    held_expiry_s: int = 259_200  # a held transaction is declined by us after this
    send_guard_s: float = 5.0  # no charge is sent later than this after the clock was read before the intent
    email_guard_s: float = 30.0  # no first email is sent later than this after the clock was read before the ending
    outbox_begins_s: int = 120  # after an order was submitted: its own request has long given up sending by then
    charge_time_s: float = 32.0  # a first request has an answer about its charge within this: guard, send, store

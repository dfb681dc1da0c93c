"""The calls to the gateway and the mail provider, as the log knows them: from the stored intent to the stored answer.

The vendors' own share is a little less: both commits are in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from domain.order import Order
from domain.payment import FoundBy
from domain.stream import Stream

GATEWAY, MAIL = "gateway", "mail provider"
BAR = 1000  # width of a bar's scale


@dataclass(frozen=True)
class Call:
    """`begin` and `width` place it on a scale of BAR over the request that it belongs to."""

    to: str
    what: str
    began_at: datetime
    took_s: float
    begin: int = 0
    width: int = BAR


def calls_of(events: Sequence[Stream.Event]) -> dict[int, Call]:
    """The calls, each by the identity of the event that is its answer."""
    found: dict[int, Call] = {}
    asked_at: dict[str, datetime] = {}  # since when an answer is waited for
    for event in events:
        match event:
            case Order.PaymentAttempted():
                asked_at["charge"] = event.timestamp
            case Order.VoidRequested() | Order.RefundRequested():
                asked_at["correction"] = event.timestamp
            case Order.Submitted() | Order.EmailAttempted() | Order.EmailResendRequested():
                asked_at["email"] = event.timestamp
            case _:
                if call := _answered(event, asked_at):
                    found[id(event)] = call
                    asked_at |= _still_open(event)
    return _placed(events, found)


def _answered(event: Stream.Event, asked_at: dict[str, datetime]) -> Call | None:
    """The call that the event ends."""
    match event:
        case Order.PaymentCharged(found_by=how) | Order.PaymentDeclined(found_by=how) | Order.PaymentHeld(found_by=how):
            kind, to, what = "charge", GATEWAY, "search" if how is FoundBy.LOOKUP else "charge"
        case Order.PaymentFailed() | Order.PaymentOutcomeUnknown():
            kind, to, what = "charge", GATEWAY, "charge"
        case Order.PaymentExpired():
            kind, to, what = "charge", GATEWAY, "search"
        case Order.PaymentVoided():
            kind, to, what = "correction", GATEWAY, "void"
        case Order.PaymentRefunded():
            kind, to, what = "correction", GATEWAY, "refund"
        case Order.EmailSent() | Order.EmailFailed():
            kind, to, what = "email", MAIL, "send"
        case _:
            return None
    began_at = asked_at.pop(kind, None)
    return Call(to, what, began_at, (event.timestamp - began_at).total_seconds()) if began_at else None


def _still_open(event: Stream.Event) -> dict[str, datetime]:
    """After these the gateway is asked again: the outcome is still to be found out."""
    return {"charge": event.timestamp} if isinstance(event, Order.PaymentOutcomeUnknown | Order.PaymentHeld) else {}


def _placed(events: Sequence[Stream.Event], calls: dict[int, Call]) -> dict[int, Call]:
    """Each call on the scale of its own request: from that request's first event to its last."""
    spans: dict[str, tuple[datetime, datetime]] = {}
    for event in events:
        first, _ = spans.get(event.correlation_id, (event.timestamp, event.timestamp))
        spans[event.correlation_id] = first, event.timestamp
    placed: dict[int, Call] = {}
    for event in events:
        if call := calls.get(id(event)):
            first, last = spans[event.correlation_id]
            whole_s = max((last - first).total_seconds(), 1e-6)
            begin = max(0, round(BAR * (call.began_at - first).total_seconds() / whole_s))
            width = max(4, min(BAR - begin, round(BAR * call.took_s / whole_s)))
            placed[id(event)] = replace(call, begin=min(begin, BAR - width), width=width)
    return placed

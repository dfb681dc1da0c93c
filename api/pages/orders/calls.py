"""The calls to the gateway and the mail provider, as the log knows them: from the stored intent to the stored answer.

The vendors' own share is a little less: both commits are in it. What came out later and otherwise, by a lookup or a
later try, is no call whose time is known: there the log says only after how long it was found out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from domain.order import Order
from domain.payment import FoundBy
from domain.stream import Stream

GATEWAY, MAIL = "gateway", "mail provider"
CHARGE, CORRECTION, CONFIRMATION = "charge", "correction", "confirmation"
BAR = 1000  # width of a bar's scale


@dataclass(frozen=True)
class Call:
    """`found_out`: `took_s` is mostly waiting. `begin` and `width` place a call on a scale of BAR over the request that
    it belongs to."""

    to: str
    what: str
    began_at: datetime
    took_s: float
    found_out: bool
    begin: int = 0
    width: int = BAR


def calls_of(events: Sequence[Stream.Event]) -> dict[int, Call]:
    """The calls, each by the identity of the event that is its answer."""
    found: dict[int, Call] = {}
    asked: dict[str, Stream.Event] = {}  # the question that waits for an answer, by its subject
    for event in events:
        if subject := _asks(event):
            asked[subject] = event
        elif (answer := _answers(event)) and (question := asked.pop(answer[0], None)):
            subject, to, what = answer
            took_s = (event.timestamp - question.timestamp).total_seconds()
            found[id(event)] = Call(to, what, question.timestamp, took_s, not _is_one_call(question, event))
            if isinstance(event, Order.PaymentOutcomeUnknown | Order.PaymentHeld):
                asked[subject] = event  # the outcome is still to be found out
    return _placed(events, found)


def _asks(event: Stream.Event) -> str | None:
    """What the event is a question about, if it is one."""
    match event:
        case Order.PaymentAttempted():
            return CHARGE
        case Order.VoidRequested() | Order.RefundRequested():
            return CORRECTION
        case Order.Submitted() | Order.EmailAttempted() | Order.EmailResendRequested():
            return CONFIRMATION
        case _:
            return None


def _answers(event: Stream.Event) -> tuple[str, str, str] | None:
    """What it answers, who said it, and what was asked for."""
    match event:
        case Order.PaymentCharged(found_by=how) | Order.PaymentDeclined(found_by=how) | Order.PaymentHeld(found_by=how):
            return CHARGE, GATEWAY, "search" if how is FoundBy.LOOKUP else "charge"
        case Order.PaymentFailed() | Order.PaymentOutcomeUnknown():
            return CHARGE, GATEWAY, "charge"
        case Order.PaymentExpired():
            return CHARGE, GATEWAY, "search"
        case Order.PaymentVoided():
            return CORRECTION, GATEWAY, "void"
        case Order.PaymentRefunded():
            return CORRECTION, GATEWAY, "refund"
        case Order.EmailSent() | Order.EmailFailed():
            return CONFIRMATION, MAIL, "send"
        case _:
            return None


def _is_one_call(question: Stream.Event, answer: Stream.Event) -> bool:
    """Whoever stored the question sent it at once and stored the answer: the charge, and a message."""
    if question.actor != answer.actor:
        return False
    match question, answer:
        case Order.PaymentAttempted(), Order.PaymentExpired():
            return False
        case Order.PaymentAttempted(), (
            Order.PaymentCharged(found_by=how) | Order.PaymentDeclined(found_by=how) | Order.PaymentHeld(found_by=how)
        ):
            return how is FoundBy.ANSWER
        case ((Order.PaymentAttempted() | Order.Submitted() | Order.EmailAttempted()), _):
            return True
        case _:
            return False


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

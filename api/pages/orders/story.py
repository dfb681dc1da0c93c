"""The story of an order for its page: each event explained, the calls between them, and the order at any step of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from api.pages.formatting import words
from api.pages.orders.calls import Call, calls_of
from api.pages.orders.snapshot import label, snapshot, written
from application.audit.explaining import Explain
from application.audit.explanation import GatewaySaid, Rule
from application.audit.explanation import Step as Explained
from application.audit.histories import Histories, histories_of
from application.event_log import EventLog
from application.order_reading import shown_event
from domain.notification import Notification
from domain.order import Order
from domain.stream import Stream

LONG_GAP_S = 60.0  # a pause that is worth a line of its own


@dataclass(frozen=True)
class Change:
    """One thing that a step changed, in words; None where there was nothing before, or is nothing after."""

    label: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Step:
    """One event. `gap_s`: since the event before; `call`: what this event is the answer to; `reason`: why a person
    wanted it, in that person's words; `raw`: as JSON."""

    number: int
    explained: Explained
    gap_s: float | None
    call: Call | None
    reason: str | None
    raw: str

    @property
    def position(self) -> int:
        return self.explained.position

    @property
    def at(self) -> datetime:
        return self.explained.recorded_at

    @property
    def follows_long_gap(self) -> bool:
        return self.gap_s is not None and self.gap_s >= LONG_GAP_S and self.call is None

    @property
    def changes(self) -> list[Change]:
        """Of the order or the guard that the event belongs to."""
        return [
            Change(
                label(change.field),
                _text(change.field, change.before),
                _text(change.field, change.after),
            )
            for change in self.explained.changes
        ]

    @property
    def rule(self) -> Rule | None:
        return self.explained.rule

    @property
    def inputs(self) -> dict[str, str]:
        """What the rule was given, by name."""
        inputs = self.explained.rule.inputs if self.explained.rule else {}
        return {label(name): written(name, value) for name, value in inputs.items()}

    @property
    def gateway(self) -> dict[str, str]:
        """The gateway's codes, each with what it means to us."""
        said: GatewaySaid | None = self.explained.gateway
        if said is None:
            return {}
        shown = {
            "response code": _coded(said.response_code, said.response),
            "reason code": _coded(said.reason_code, said.reason_status),
            "message code": _coded(said.message_code, said.message_status),
            "address check": said.avs_result,
            "card code check": said.cvv_result,
        }
        return {name: text for name, text in shown.items() if text}


@dataclass(frozen=True)
class Story:
    """`order` is now; `facts` and `changes` are of the step that is looked at, `current`."""

    order: Order
    steps: tuple[Step, ...]
    current: Step
    facts: Mapping[str, str]
    changes: Mapping[str, Change]

    @property
    def is_now(self) -> bool:
        return self.current is self.steps[-1]

    @property
    def before(self) -> Step | None:
        return self.steps[self.current.number - 2] if self.current.number > 1 else None

    @property
    def after(self) -> Step | None:
        return None if self.is_now else self.steps[self.current.number]


class Stories:
    """One per process."""

    def __init__(self, events: EventLog, explain: Explain) -> None:
        self._events = events
        self._explain = explain

    async def read(self, order_id: UUID, *, at: int | None = None, step: int | None = None) -> Story | None:
        """Looked at after the last event up to log position `at`, or after `step`. None where there is no order."""
        explanation = await self._explain(order_id)
        histories = await histories_of(self._events, order_id)
        if explanation is None or histories is None:
            return None
        steps = _steps(explanation.steps, histories)
        current = _looked_at(steps, at, step)
        known = snapshot(_order_at(histories, current.position - 1))
        facts = snapshot(_order_at(histories, current.position))
        return Story(histories.order, steps, current, facts, _differences(known, facts))


def _steps(explained: Sequence[Explained], histories: Histories) -> tuple[Step, ...]:
    """The explanation may be a moment older than the histories: what came between is left for the next look."""
    events: dict[int, Stream.Event] = dict(histories.everything())
    calls = calls_of([event for _, event in histories.events])
    steps: list[Step] = []
    for number, told in enumerate(explained, 1):
        event = events[told.position]
        raw = msgspec.json.format(msgspec.json.encode(shown_event(told.position, event)), indent=2).decode()
        gap_s = (told.recorded_at - steps[-1].at).total_seconds() if steps else None
        steps.append(Step(number, told, gap_s, calls.get(id(event)), _reason(event), raw))
    return tuple(steps)


def _reason(event: Stream.Event) -> str | None:
    match event:
        case Order.VoidRequested(unexpected=True) | Order.RefundRequested(unexpected=True):
            return None
        case (
            Order.VoidRequested(reason=reason)
            | Order.RefundRequested(reason=reason)
            | Order.EmailResendRequested(reason=reason)
            | Notification.Resolved(reason=reason)
        ):
            return reason
        case _:
            return None


def _looked_at(steps: Sequence[Step], at: int | None, number: int | None) -> Step:
    if number is not None:
        return steps[min(max(number, 1), len(steps)) - 1]
    if at is None:
        return steps[-1]
    return next((step for step in reversed(steps) if step.position <= at), steps[0])


def _order_at(histories: Histories, position: int) -> Order:
    order = Order.empty(histories.order.id)
    for recorded_at, event in histories.events:
        if recorded_at <= position:
            event.mutate(order)
    return order


def _differences(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, Change]:
    labels = dict.fromkeys([*after, *before])
    return {
        label: Change(label, before.get(label), after.get(label))
        for label in labels
        if before.get(label) != after.get(label)
    }


def _text(field: str, value: object) -> str | None:
    return None if value is None else written(field, value)


def _coded(code: str | None, meaning: str | None) -> str | None:
    return f"{code} ({words(meaning)})" if code and meaning else code

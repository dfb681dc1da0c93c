"""What a chaos run shows: figures for people or as data, and the whole story of every order that broke a promise."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from domain.stream import Stream
from tests.chaos.judge import Evidence, Violation

STORIES = 10  # told in full
_NOT_TOLD = {"personal", "lines", "originator_id", "originator_version", "timestamp", "actor", "correlation_id"}


@dataclass(frozen=True)
class Report:
    """The figures of one run, and the verdict."""

    seed: int
    seconds: float
    folder: str  # of the logs
    processes: tuple[str, ...]
    requests: int
    lost_answers: int
    answers: dict[str, int]
    troubles: dict[str, int]  # kills, pauses, restarts of PostgreSQL, settlements
    faults: dict[str, int]  # of the networks, by network and kind
    starts: int
    exits: dict[str, int]
    orders: dict[str, int]  # by state
    kept_charges: int
    voided_charges: int
    refunds: int
    emails: int
    emails_twice: int  # messages beyond the first to a recipient of an order
    resolved_after_s: float | None  # from the end of the faults; None: not within the limit
    violations: tuple[Violation, ...]

    def as_data(self) -> dict[str, Any]:
        broken = [{"what": broken.what, "order": str(broken.order_id or "")} for broken in self.violations]
        return {**vars(self), "violations": broken}

    def lines(self) -> Iterator[str]:
        yield f"seed {self.seed}, {self.seconds:g} s, logs in {self.folder}"
        yield f"processes       {', '.join(self.processes)}"
        yield f"requests        {self.requests}, of which {self.lost_answers} never got an answer"
        for name in ("answers", "troubles", "faults", "exits", "orders"):
            figures: dict[str, int] = getattr(self, name)
            for place, (what, number) in enumerate(sorted(figures.items(), key=lambda item: -item[1])):
                yield f"{'' if place else name:<16}{number:>6}  {what}"
        yield f"starts          {self.starts}"
        yield f"charges kept    {self.kept_charges}; voided {self.voided_charges}, refunded {self.refunds}"
        yield f"emails          {self.emails}, of which {self.emails_twice} came again"
        after = self.resolved_after_s
        yield "resolved        " + ("NOT within the limit" if after is None else f"{after:.1f} s after the last fault")
        yield f"violations      {len(self.violations)}"


def story(evidence: Evidence, violation: Violation) -> Iterator[str]:
    """Everything that is known of an order: its events, the gateway's rows, what clients were told."""
    yield f"VIOLATION: {violation.what}"
    order = evidence.history.orders.get(violation.order_id) if violation.order_id else None
    if order is None:
        return
    streams = [order.id]
    if order.requested is not None:
        streams.append(order.requested.duplicate_window_id)
    if order.promotion is not None:
        streams.append(order.promotion.redemption_id)
    yield f"  order {order.id}: {order.state}"
    for event in sorted((event for each in streams for event in evidence.history.events[each]), key=_moment):
        yield f"  log      {_moment(event)} {type(event).__qualname__} by {event.actor}: {_facts(event)}"
    for row in evidence.transactions_of(order):
        yield f"  gateway  {json.dumps(row)}"
    for told in evidence.told:
        if told.order_id == order.id:
            yield f"  told     {told.status} ({told.detail}), key {told.key}"


def _moment(event: Stream.Event) -> str:
    return str(event.timestamp.isoformat())


def _facts(event: Stream.Event) -> str:
    return ", ".join(f"{name}={value}" for name, value in vars(event).items() if name not in _NOT_TOLD)

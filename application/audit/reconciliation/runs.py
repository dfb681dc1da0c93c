"""The runs: each completed one is recorded, so that a closing can tell whether all days of a month were compared."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from application.audit.reconciliation.importing import PAGE
from application.event_log import EventLog
from domain.reconciliation import Reconciliation
from domain.stream import Metadata

_NAMESPACE = uuid5(NAMESPACE_URL, "urn:pay-and-submit:reconciliation")


def run_id(first: datetime, last: datetime) -> UUID:
    """The stream of the runs over this range."""
    return uuid5(_NAMESPACE, f"{first.isoformat()}/{last.isoformat()}")


async def record_run(
    events: EventLog, metadata: Metadata, first: datetime, last: datetime, not_settled: Sequence[str]
) -> None:
    """Raises StoreUnavailable, CommitUnknown."""

    def decide(runs: Reconciliation) -> None:
        runs.complete(metadata, since=first, until=last, not_settled=tuple(not_settled))

    await events.change(Reconciliation, run_id(first, last), decide)


async def why_not_compared(events: EventLog, first: datetime, last: datetime) -> str | None:
    """What is wanting, in words; None where runs made after the end of the range cover all of it.

    A run before the end may have seen less than what settled, and one that had to leave out a batch has not compared
    it. Raises StoreUnavailable.
    """
    made = await _runs_since(events, last)
    reached = _reached([run for run in made if not run.not_settled], first)
    if reached >= last:
        return None
    waiting = sorted({batch_id for run in made for batch_id in run.not_settled})
    if waiting and _reached(made, first) >= last:
        return f"the gateway was not done with {len(waiting)} batches, the first is {waiting[0]}"
    return f"no run since its end covers {reached:%Y-%m-%d} and later"


def _reached(runs: Sequence[Reconciliation.Completed], first: datetime) -> datetime:
    """Up to where the runs cover everything from there on."""
    reached = first
    for run in sorted(runs, key=lambda run: run.since):
        if run.since > reached:
            break
        reached = max(reached, run.until)
    return reached


async def _runs_since(events: EventLog, moment: datetime) -> list[Reconciliation.Completed]:
    found: list[Reconciliation.Completed] = []
    position = 0
    while page := await events.recorder.notifications(position + 1, PAGE, [Reconciliation.Completed.TOPIC]):
        for stored in page:
            event = events.codec.decode(stored)
            assert isinstance(event, Reconciliation.Completed)
            if event.timestamp >= moment:
                found.append(event)
        position = page[-1].id
    return found

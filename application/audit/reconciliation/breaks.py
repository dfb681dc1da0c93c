"""Keeps each break as a stream of its own: found, owned or resolved by people, resolved by a run that agrees."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from application.audit.reconciliation.books import Books
from application.audit.reconciliation.causes import explained
from application.audit.reconciliation.importing import PAGE
from application.audit.reconciliation.matching import Comparison, Finding, Key
from application.event_codec import event_classes_of
from application.event_log import Conflict, EventLog, StoreUnavailable
from application.operations import NotPossible
from application.ports import Clock
from domain.settlement_break import BreakClass, SettlementBreak
from domain.stream import Metadata

MAX_RACES = 5
SAVED_TOGETHER = 200
_NAMESPACE = uuid5(NAMESPACE_URL, "urn:pay-and-submit:settlement-break")
_RESOLUTIONS = {
    BreakClass.MISSING_HERE: "the log accounts for it now",
    BreakClass.DUPLICATE: "it was given back",
    BreakClass.CHARGED_BACK: "the bank reversed the chargeback",
}


def break_id(key: Key) -> UUID:
    """The stream of the break: the same disagreement has the same id in every run."""
    return uuid5(_NAMESPACE, f"{key.classification}/{key.transaction_id or ''}/{key.batch_id or ''}")


class Breaks:
    """The breaks of the log."""

    def __init__(self, events: EventLog, clock: Clock) -> None:
        self._events = events
        self._clock = clock

    async def all(self) -> list[SettlementBreak]:
        """Every break ever found, oldest first, as it is now."""
        topics = [event_class.TOPIC for event_class in event_classes_of(SettlementBreak)]  # type: ignore[attr-defined]
        found: dict[UUID, SettlementBreak] = {}
        position = 0
        while page := await self._events.recorder.notifications(position + 1, PAGE, topics):
            for stored in page:
                event = self._events.codec.decode(stored)
                event.mutate(found.setdefault(event.originator_id, SettlementBreak.empty(event.originator_id)))
            position = page[-1].id
        return list(found.values())

    async def own(self, id: UUID, owner: str, *, actor: str, reason: str, request: str) -> SettlementBreak:
        """Make somebody answerable for it. Raises NotPossible where there is none, or it is resolved."""
        return await self._decide(id, lambda found, at: found.own(Metadata(at, actor, request, request), owner, reason))

    async def resolve(self, id: UUID, *, actor: str, reason: str, request: str) -> SettlementBreak:
        """It has been dealt with. Raises NotPossible where there is none."""
        return await self._decide(id, lambda found, at: found.resolve(Metadata(at, actor, request, request), reason))

    async def keep(self, books: Books, comparison: Comparison, *, actor: str, request: str) -> list[SettlementBreak]:
        """Record what is new or back again, resolve what holds no longer; all breaks as they are then.

        Two runs at once find the same breaks: the one that comes second finds nothing new.
        """
        for _ in range(MAX_RACES):
            try:
                await self._keep(books, comparison, Metadata(self._clock.now(), actor, request, request))
            except Conflict:
                books.breaks = {found.id: found for found in await self.all()}
            else:
                return list(books.breaks.values())
        raise StoreUnavailable("too many lost races")

    async def _keep(self, books: Books, comparison: Comparison, metadata: Metadata) -> None:
        for finding in comparison.found:
            stream_id = break_id(finding.key)
            known = books.breaks.get(stream_id) or SettlementBreak.empty(stream_id)
            known.find(metadata, **_facts(finding, stream_id, metadata.recorded_at))
            books.breaks[stream_id] = known
        still = {break_id(key) for key in comparison.standing}
        for stream_id, known in books.breaks.items():
            if stream_id not in still and _may_mend(known, comparison):
                known.mend(metadata, _resolution(books, known))
        changed = [known for known in books.breaks.values() if known.pending_events]
        for start in range(0, len(changed), SAVED_TOGETHER):
            await self._events.save(*changed[start : start + SAVED_TOGETHER])

    async def _decide(self, id: UUID, decide: Callable[[SettlementBreak, datetime], None]) -> SettlementBreak:
        def open_only(found: SettlementBreak) -> None:
            if found.found is None:
                raise NotPossible("there is no such break; see: orders audit breaks list")
            if found.resolved:
                raise NotPossible(f"the break is resolved already: {found.resolved.reason}")
            decide(found, self._clock.now())

        return await self._events.change(SettlementBreak, id, open_only, races=MAX_RACES)


def _facts(finding: Finding, stream_id: UUID, now: datetime) -> dict[str, object]:
    cause, next_command = explained(finding, stream_id, now)
    return {
        "classification": finding.key.classification,
        "transaction_id": finding.key.transaction_id,
        "batch_id": finding.key.batch_id,
        "invoice_number": finding.invoice_number,
        "order_id": finding.order_id,
        "ours_cents": finding.ours_cents,
        "theirs_cents": finding.theirs_cents,
        "happened_at": finding.happened_at,
        "cause": cause,
        "next_command": next_command,
    }


def _may_mend(known: SettlementBreak, comparison: Comparison) -> bool:
    """Whether that it is not found any more means that it is no more: a longer grace finds less and mends nothing."""
    assert known.found is not None
    match known.found.classification:
        case BreakClass.LATE:
            return False  # it was late, for good
        case BreakClass.MISSING_THERE:
            return known.found.transaction_id not in comparison.awaited
    return True


def _resolution(books: Books, known: SettlementBreak) -> str:
    """Why it holds no longer, as far as the log tells."""
    assert known.found is not None
    if known.found.classification is not BreakClass.MISSING_THERE:
        return _RESOLUTIONS.get(known.found.classification, "the two sides agree now")
    transaction_id = known.found.transaction_id
    row = next((row for row in books.rows if row.transaction_id == transaction_id), None)
    if row is not None:
        return f"it settled in batch {row.batch_id} on {row.settled_at:%Y-%m-%d}"
    return "it was voided, so nothing is to settle"

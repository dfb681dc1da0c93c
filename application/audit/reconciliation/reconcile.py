"""One reconciliation: import what settled, gather both sides, compare, keep the breaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from application.audit.reconciliation.books import Books, read_books
from application.audit.reconciliation.breaks import Breaks
from application.audit.reconciliation.importing import Imported, ImportSettlements, Progress
from application.audit.reconciliation.matching import Comparison, Terms, compare
from application.audit.reconciliation.runs import record_run
from application.event_log import EventLog
from application.operations import NotPossible
from application.ports import Clock
from application.ports.settlement import Settlements
from domain.settlement_break import SettlementBreak
from domain.stream import Metadata

GRACE = timedelta(days=3)  # a charge settles within a day or two; weekends take longer


@dataclass(frozen=True)
class Reconciled:
    """How a reconciliation ended. `position`: up to which event of the log it saw both sides."""

    terms: Terms
    imported: Imported
    comparison: Comparison
    breaks: Sequence[SettlementBreak]  # those that are not resolved, oldest first, of these days or others
    resolved_by_people: frozenset[UUID]
    position: int

    @property
    def open_breaks(self) -> list[SettlementBreak]:
        """Those that nobody has taken on."""
        return [known for known in self.breaks if known.state == "open"]


class Reconcile:
    """The use case. Every step may be repeated; a second run over the same range adds nothing but that it was made."""

    def __init__(self, events: EventLog, settlements: Settlements, clock: Clock) -> None:
        self._events = events
        self._clock = clock
        self._import = ImportSettlements(events, settlements, clock)
        self._breaks = Breaks(events, clock)

    async def __call__(
        self,
        first: datetime,
        last: datetime,
        *,
        actor: str,
        request: str,
        progress: Progress,
        grace: timedelta = GRACE,
    ) -> Reconciled:
        """Reconcile the range from `first` (inclusive) to `last` (exclusive).

        Batches are imported beyond the end, as long as charges of the range may still settle. Raises LookupFailed,
        NotPossible, StoreUnavailable, CommitUnknown.
        """
        terms = Terms(first, last, self._clock.now(), grace)
        until = max(first, min(last + grace, terms.now))
        imported = await self._import(first, until, actor=actor, request=request, progress=progress)
        books = await read_books(self._events, progress, first, grace)
        _require_whole(books)
        comparison = compare(books, terms)
        known = await self._breaks.keep(books, comparison, actor=actor, request=request)
        made = Metadata(self._clock.now(), actor, request, request)
        left_out = [header.batch_id for header in imported.not_settled]
        await record_run(self._events, made, first, last, left_out)
        unresolved = [each for each in known if each.state != "resolved"]
        by_people = frozenset(each.id for each in known if isinstance(each.resolved, SettlementBreak.Resolved))
        return Reconciled(terms, imported, comparison, unresolved, by_people, books.position)


def _require_whole(books: Books) -> None:
    """Half a batch would look like money that is missing."""
    for batch in books.batches.values():
        if batch.rows_missing:
            day = batch.settled_at.date()
            raise NotPossible(
                f"batch {batch.batch_id} is imported in part only; go on with:"
                f" orders audit reconcile --from {day} --to {day + timedelta(days=1)}"
            )

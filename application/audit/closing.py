"""Month close: when a month's books are final, and how they are made again, byte for byte, from the sealed log.

A month is closed an hour after it is over, so that no event that is recorded in it can still come. The cut-off is the
last seal at that moment. What is recorded later belongs to the months that are open.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import NAMESPACE_URL, UUID, uuid5

from application.audit.reconciliation.books import Books, read_books
from application.audit.reconciliation.breaks import break_id
from application.audit.reconciliation.matching import Terms, compare
from application.audit.reconciliation.reconcile import GRACE
from application.audit.reconciliation.runs import why_not_compared
from application.event_log import Conflict, EventLog
from application.operations import NotPossible
from application.ports import Clock
from application.ports.books import Bookkeeper, Cut, MonthBooks, NotBooked, NotSigned, Progress, SealedLog
from application.ports.seals import Seal
from domain.period import Period
from domain.stream import Metadata

MARGIN = timedelta(hours=1)  # more than the clocks of our processes ever differ
PAGE = 1_000
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_NAMESPACE = uuid5(NAMESPACE_URL, "urn:pay-and-submit:period")


@dataclass(frozen=True)
class Unmet:
    """A precondition of the closing that does not hold, and the command that says more or mends it."""

    what: str
    next_command: str


@dataclass(frozen=True)
class Closing:
    """How a closing ended: closed now or before, or what stands in its way."""

    period: Period
    unmet: tuple[Unmet, ...] = ()
    again: Reproduced | None = None  # the exports of a month that was closed before, where they were asked for


@dataclass(frozen=True)
class Reproduced:
    """The books of a closed month, made again. `differences`: in words; none where everything is as it was."""

    closed: Period.Closed
    books: MonthBooks
    differences: tuple[str, ...]


def month_span(period: str) -> tuple[datetime, datetime]:
    """The first instant of the month, and the first after it; UTC. Raises NotPossible for anything but 2026-10."""
    if not _MONTH.fullmatch(period) or not "1970-01" <= period < "9999-12":
        raise NotPossible("give the month as 2026-10")
    first = datetime(int(period[:4]), int(period[5:]), 1, tzinfo=UTC)
    return first, (first + timedelta(days=31)).replace(day=1)


def period_id(period: str) -> UUID:
    """The stream of the month."""
    return uuid5(_NAMESPACE, period)


class CloseMonth:
    """Closes a month once, and makes its books again."""

    def __init__(self, events: EventLog, bookkeeper: Bookkeeper, sealed: SealedLog, clock: Clock) -> None:
        self._events = events
        self._bookkeeper = bookkeeper
        self._sealed = sealed
        self._clock = clock

    async def close(self, period: str, *, out: Path | None, actor: str, request: str, progress: Progress) -> Closing:
        """Close the month if nothing stands in its way. Its exports go to `out`, if given, also of a closed one.

        Raises NotPossible, NotMade, StoreUnavailable, CommitUnknown.
        """
        first, ends_at = month_span(period)
        (found,) = await self._events.load((Period, period_id(period)))
        if found.closed:
            again = await self.reproduce(period, out=out, progress=progress) if out else None
            return Closing(found, again=again)
        closed = await self.closed_months()
        unmet = _too_early(period, ends_at, self._clock.now(), await self._due(closed))
        if unmet:
            return Closing(found, tuple(unmet))
        compared = await read_books(self._events, progress, first, GRACE)
        unmet += await self._unsettled(compared, first, ends_at)
        try:
            seal = await self._sealed.last_seal()
        except NotSigned as refused:
            unmet.append(Unmet(f"the last seal cannot be used: {refused}", "orders audit verify"))
            return Closing(found, tuple(unmet))
        if seal is None or not await self._covers(seal, ends_at):
            unmet.append(Unmet("events of the month are not sealed yet", "orders work"))
            return Closing(found, tuple(unmet))
        if await self._sealed.recomputed(seal.position, progress) != (seal.tree_size, seal.root_hash):
            unmet.append(Unmet("the log is not what was sealed", "orders audit verify"))
        try:
            async with _folder(out) as folder:
                books = await self._bookkeeper.make(period, seal.position, closed, folder, progress)
        except NotBooked as failed:
            unmet.append(Unmet(str(failed), "orders projections rebuild ledger"))
            return Closing(found, tuple(unmet))
        if books.balance_cents or books.debit_cents != books.credit_cents:
            unmet.append(Unmet("the trial balance is not zero", "orders ledger trial-balance"))
        if unmet:
            return Closing(found, tuple(unmet))
        owned = sum(each.state == "owned" for each in compared.breaks.values())
        return await self._save(
            period, ends_at, seal, books, owned, Metadata(self._clock.now(), actor, request, request)
        )

    async def reproduce(self, period: str, *, out: Path, progress: Progress) -> Reproduced:
        """Make the exports of a closed month again and hold them against its closing. Raises NotPossible, NotMade."""
        month_span(period)
        (found,) = await self._events.load((Period, period_id(period)))
        if found.closed is None:
            raise NotPossible(f"{period} is not closed; close it: orders audit close {period}")
        closed, then = await self.closed_months(), found.closed
        differences: list[str] = []
        size, root = await self._sealed.recomputed(then.cut_off_position, progress)
        if (size, root) != (then.tree_size, then.root_hash):
            differences.append("the log up to the cut-off is not what was sealed; see: orders audit verify")
        if not await self._signed(then):
            differences.append("no seal that this key has signed bears the closing out; see: orders audit verify")
        earlier = [cut for cut in closed if cut.period < period]
        books = await self._bookkeeper.make(period, then.cut_off_position, earlier, out, progress)
        now = {made.format: made.sha256 for made in books.exports}
        differences += [f"{old.format} has other bytes" for old in then.exports if now.get(old.format) != old.sha256]
        if books.rules != then.rules:
            differences.append("other rules, or other versions of them, were applied")
        return Reproduced(then, books, tuple(differences))

    async def closed_months(self) -> list[Cut]:
        """Every closed month, oldest first."""
        found: list[Cut] = []
        position = 0
        while page := await self._events.recorder.notifications(position + 1, PAGE, [Period.Closed.TOPIC]):
            for stored in page:
                event = self._events.codec.decode(stored)
                assert isinstance(event, Period.Closed)
                found.append(Cut(event.period, event.cut_off_position))
            position = page[-1].id
        return sorted(found, key=lambda cut: cut.period)

    async def _signed(self, closed: Period.Closed) -> bool:
        """Whether the tree head that the closing names was signed."""
        try:
            seal = await self._sealed.seal_of(closed.tree_size)
        except NotSigned:
            return False
        named = closed.cut_off_position, closed.root_hash
        return seal is not None and (seal.position, seal.root_hash) == named

    async def _due(self, closed: list[Cut]) -> str | None:
        """The month to close next: the first with a booked event, then one after the other. None: nothing is booked."""
        if closed:
            _, following = month_span(closed[-1].period)
            return f"{following:%Y-%m}"
        first = await self._events.recorder.notifications(1, 1, self._bookkeeper.topics)
        return f"{self._events.codec.decode(first[0]).timestamp:%Y-%m}" if first else None

    async def _unsettled(self, books: Books, first: datetime, ends_at: datetime) -> list[Unmet]:
        """What is not dealt with: events set aside, money that nobody has compared, breaks that nobody owns."""
        unmet: list[Unmet] = []
        if aside := await self._bookkeeper.set_aside():
            unmet.append(Unmet(f"{aside} events are set aside by the read models", "orders dead-letters list"))
        comparison = compare(books, Terms(first, ends_at, self._clock.now(), GRACE))
        known = {stream_id for stream_id, each in books.breaks.items() if each.found}
        fresh = sum(break_id(finding.key) not in known for finding in comparison.found)
        why = await why_not_compared(self._events, first, ends_at)
        if why or fresh or comparison.waiting:
            why = f"{fresh} disagreements with the gateway are not recorded" if fresh else why
            why = why or "charges may still settle"
            command = f"orders audit reconcile --from {first:%Y-%m-%d} --to {ends_at:%Y-%m-%d}"
            unmet.append(Unmet(f"the month is not reconciled: {why}", command))
        before_end = [each for each in books.breaks.values() if each.found and each.found.happened_at < ends_at]
        if open_breaks := sum(each.state == "open" for each in before_end):
            unmet.append(Unmet(f"{open_breaks} settlement breaks are open", "orders audit breaks list"))
        return unmet

    async def _covers(self, seal: Seal, ends_at: datetime) -> bool:
        """Whether everything that was recorded in the month lies under the seal."""
        after = await self._events.recorder.notifications(seal.position + 1, 1)
        return not after or self._events.codec.decode(after[0]).timestamp >= ends_at

    async def _save(
        self, period: str, ends_at: datetime, seal: Seal, books: MonthBooks, owned: int, metadata: Metadata
    ) -> Closing:
        (found,) = await self._events.load((Period, period_id(period)))
        found.close_once(
            metadata,
            period=period,
            ends_at=ends_at,
            cut_off_position=seal.position,
            tree_size=seal.tree_size,
            root_hash=seal.root_hash,
            rules=books.rules,
            exports=books.exports,
            entries=books.entries,
            postings=books.postings,
            debit_cents=books.debit_cents,
            owned_breaks=owned,
        )
        try:
            await self._events.save(found)
        except Conflict:  # somebody else has closed it just now
            (found,) = await self._events.load((Period, period_id(period)))
        return Closing(found)


def _too_early(period: str, ends_at: datetime, now: datetime, due: str | None) -> list[Unmet]:
    """Months are closed one after the other, each when it is over."""
    if now < ends_at + MARGIN:
        after = f"{ends_at + MARGIN:%Y-%m-%d %H:%M}"
        return [Unmet(f"the month can be closed after {after} UTC", f"orders audit close {period}")]
    if due not in (None, period):
        return [Unmet(f"months are closed in order: {due} comes first", f"orders audit close {due}")]
    return []


@asynccontextmanager
async def _folder(out: Path | None) -> AsyncIterator[Path]:
    if out is not None:
        yield out
        return
    with TemporaryDirectory() as folder:
        yield Path(folder)

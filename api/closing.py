"""Puts the month close together: books from a ledger of its own, folded from the log, and the seals over that log."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa

from api.bootstrap import Service
from api.read_models import ReadModels, open_generation
from api.seals import SealedLog
from application.adapters.sql import make_engine
from application.audit.closing import CloseMonth
from application.audit.seals.checkpoint import NotACheckpoint
from application.audit.seals.leaf import leaf_hash
from application.audit.seals.merkle import CompactRange
from application.audit.seals.reading import pages
from application.audit.seals.storing import BEFORE_ALL, StoredSeal, StoreFailed
from application.ports.books import Cut, MonthBooks, NotBooked, NotMade, NotSigned, Progress
from application.ports.seals import Seal
from domain.period import ExportedFile, RuleVersion
from domain.stream import topics_of
from projections.applying import ModelTarget
from projections.building import Build
from projections.building import Progress as Built
from projections.ledger.balances import Selection, totals, trial_balance
from projections.ledger.exports.manifest import NAME, sha256_of
from projections.ledger.exports.writing import export_journal
from projections.ledger.model import Ledger
from projections.ledger.periods import ClosedMonth
from projections.ledger.rules import BOOKED
from projections.log import TopicNotKnown
from projections.model import NotFolded
from projections.storage import Place, Storage

FORMATS = ("csv", "jsonl", "beancount", "hledger")  # text: the same bytes with every version of their libraries


class LogBookkeeper:
    """The port Bookkeeper: every time a ledger of its own, in a temporary file, from the log alone."""

    def __init__(self, models: ReadModels) -> None:
        self._models = models
        self.topics = tuple(sorted(topics_of(BOOKED)))

    async def make(
        self, period: str, cut_off: int, closed: Sequence[Cut], folder: Path, progress: Progress
    ) -> MonthBooks:
        try:
            return await asyncio.to_thread(self._make, period, cut_off, closed, folder, progress)
        except NotFolded as failed:
            raise NotBooked(f"an event cannot be booked, also if somebody has skipped it: {failed}") from failed
        except TopicNotKnown as unknown:
            raise NotMade(f"the log holds what this version cannot read: {unknown}") from unknown
        except OSError as error:
            raise NotMade(f"the files cannot be written ({error.strerror or type(error).__name__})") from error

    async def set_aside(self) -> int:
        return len(await asyncio.to_thread(self._models.dead_letters.waiting))

    def _make(self, period: str, cut_off: int, closed: Sequence[Cut], folder: Path, progress: Progress) -> MonthBooks:
        ledger = Ledger([ClosedMonth(cut.period, cut.position) for cut in closed])
        month = Selection(through=cut_off, period=period)
        with self._folded(ledger, cut_off, progress) as connection:
            manifest = export_journal(
                connection, folder, FORMATS, month, lambda done, of: progress("writing the exports", done, of)
            )
            booked = totals(trial_balance(connection, month))
            everything = totals(trial_balance(connection, Selection(through=cut_off)))
        files = {file["format"]: str(file["sha256"]) for file in manifest["files"]}
        files["manifest"] = sha256_of(folder / NAME)
        return MonthBooks(
            rules=tuple(RuleVersion(rule["id"], rule["version"]) for rule in manifest["rules"]),
            exports=tuple(ExportedFile(name, digest) for name, digest in sorted(files.items())),
            entries=manifest["entries"],
            postings=manifest["postings"],
            debit_cents=booked["debit_cents"],
            credit_cents=booked["credit_cents"],
            balance_cents=everything["balance_cents"],
        )

    @contextmanager
    def _folded(self, ledger: Ledger, cut_off: int, progress: Progress) -> Iterator[sa.Connection]:
        """A moment of a ledger that ends at the cut-off."""

        def show(built: Built) -> None:
            progress("making the books", built.position, built.target)

        with TemporaryDirectory() as folder:
            storage = Storage(make_engine(f"sqlite:///{folder}/books.db"), open_generation)
            try:
                place = Place(ledger.name, 1)
                storage.create(place, ledger, indexes=False)
                target = ModelTarget(storage, place, ledger)
                Build(storage, self._models.log, [target], report=show).advance(cut_off)  # nothing is skipped
                storage.create_indexes(place, ledger)
                with storage.reader(place).begin() as connection:
                    yield connection
            finally:
                storage.close()


class LogSeals:
    """The port SealedLog. What a seal says is taken from its signed note, never from the columns beside it."""

    def __init__(self, log: SealedLog) -> None:
        self._log = log

    async def last_seal(self) -> Seal | None:
        return await self._opened(self._log.store.last)

    async def seal_of(self, tree_size: int) -> Seal | None:
        found = await self._opened(lambda: next(iter(self._log.store.seals(tree_size - 1, 1)), None))
        return found if found is not None and found.tree_size == tree_size else None

    async def _opened(self, read: Callable[[], StoredSeal | None]) -> Seal | None:
        def work() -> Seal | None:
            stored = read()
            if stored is None:
                return None
            head = self._log.signer().verifier.open(stored.note)
            return Seal(head.tree_size, head.position, head.root.hex(), head.sealed_at)

        try:
            return await asyncio.to_thread(work)
        except StoreFailed as failed:
            raise NotMade(f"the seals cannot be read now ({failed})") from failed
        except NotACheckpoint as refused:
            raise NotSigned(str(refused)) from refused

    async def recomputed(self, position: int, progress: Progress) -> tuple[int, str]:
        try:
            return await asyncio.to_thread(self._recomputed, position, progress)
        except StoreFailed as failed:
            raise NotMade(f"the log cannot be read now ({failed})") from failed

    def _recomputed(self, position: int, progress: Progress) -> tuple[int, str]:
        edge = CompactRange()
        with closing(pages(self._log.rows, BEFORE_ALL)) as every:
            for page in every:
                kept = page[: bisect_right(page, position, key=lambda row: row[0])]
                edge.extend([leaf_hash(row) for row in kept])
                progress("hashing the log", kept[-1][0] if kept else position, position)
                if len(kept) < len(page):
                    break
        return edge.size, edge.root().hex()


@contextmanager
def month_close(service: Service) -> Iterator[CloseMonth]:
    """The month close of the process's log, while the block lasts."""
    log = SealedLog(service.settings)
    try:
        yield CloseMonth(service.events, LogBookkeeper(service.read_models), LogSeals(log), service.clock)
    finally:
        log.close()

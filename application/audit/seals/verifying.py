"""Recomputes the tree from the log and holds it against everything that was signed; flat in memory, in one pass."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from time import perf_counter

from application.audit.seals.checkpoint import Checkpoint, Verifier
from application.audit.seals.findings import Finding
from application.audit.seals.leaf import Row, leaf_hash
from application.audit.seals.locating import Mismatch, locate
from application.audit.seals.merkle import CompactRange
from application.audit.seals.reading import pages
from application.audit.seals.stored_tree import StoredTreeCheck
from application.audit.seals.storing import BEFORE_ALL, CheckpointFile, LogRows, SealStore
from application.audit.seals.witnesses import Witness, Witnesses


@dataclass(frozen=True)
class Progress:
    position: int
    head: int
    events: int
    seconds: float


@dataclass(frozen=True)
class Report:
    """What was looked at and what was found, the first thing first. `sealed`: the events under the last checkpoint."""

    log: str  # the origin of its checkpoints
    events: int
    sealed: int
    unsealed: int
    checkpoints: int
    last: Checkpoint | None
    findings: tuple[Finding, ...]
    seconds: float

    @property
    def fine(self) -> bool:
        return not self.findings and (self.last is not None or self.events == 0)


def verify(
    rows: LogRows,
    store: SealStore,
    file: CheckpointFile,
    verifier: Verifier,
    kept: Sequence[str] = (),
    report: Callable[[Progress], None] = lambda _: None,
) -> Report:
    """Hold the log against the checkpoints of store and file, and against those notes that somebody has `kept`.

    Raises StoreFailed, OSError, and NotACheckpoint where a kept note is none of this key's.
    """
    witnesses = Witnesses(store, file, verifier, kept)
    findings: list[Finding] = []
    good: dict[str, Checkpoint] = {}  # by who showed it: the last that the log bears out
    checked, last = 0, None
    with closing(_Walk(rows, store, report)) as walk:
        for witness in witnesses:
            edge = walk.edge.copy()
            walk.advance(witness.checkpoint.position)
            if (walk.edge.size, walk.edge.root()) != (witness.checkpoint.tree_size, witness.checkpoint.root):
                mismatch = Mismatch(witness.checkpoint, last, _last_of(good, witness), edge)
                findings.append(locate(mismatch, rows, store))
                break
            checked, last = checked + 1, witness.checkpoint
            good.update(dict.fromkeys(witness.shown_by, last))
            walk.check_stored(witness)
        else:
            walk.advance(None)
            findings += walk.stored.finish()
    findings += witnesses.findings
    sealed = last.tree_size if last else 0
    return Report(
        log=verifier.name,
        events=walk.edge.size,
        sealed=sealed,
        unsealed=walk.edge.size - sealed if walk.at_end else 0,
        checkpoints=checked,
        last=last,
        findings=tuple(findings),
        seconds=perf_counter() - walk.began_s,
    )


def _last_of(good: dict[str, Checkpoint], witness: Witness) -> Checkpoint | None:
    """The last checkpoint that was right, of those who show the one that is not."""
    found = [good[name] for name in witness.shown_by if name in good]
    return max(found, key=lambda checkpoint: checkpoint.tree_size, default=None)


class _Walk:
    """Goes over the log once; the next page is read while the one before is hashed."""

    def __init__(self, rows: LogRows, store: SealStore, report: Callable[[Progress], None]) -> None:
        self._report = report
        self._page: Sequence[Row] = ()
        self._at = 0  # in the page
        self.edge = CompactRange()
        self.stored = StoredTreeCheck(store)
        self.began_s = perf_counter()
        self.at_end = False
        self._head = rows.head()
        self._pages = pages(rows, BEFORE_ALL)

    def close(self) -> None:
        self._pages.close()

    def advance(self, position: int | None) -> None:
        """Take in every event up to a position; None: all that there are."""
        while True:
            end = len(self._page)
            if position is not None:
                end = bisect_right(self._page, position, lo=self._at, key=lambda row: row[0])
            self._take(self._page[self._at : end])
            self._at = end
            if end < len(self._page) or not self._next_page():
                return

    def check_stored(self, witness: Witness) -> None:
        if witness.seal is not None:
            self.stored.check(witness.seal)

    def _take(self, rows: Sequence[Row]) -> None:
        leaves = [leaf_hash(row) for row in rows]
        self.stored.add(rows, leaves, self.edge.extend(leaves))

    def _next_page(self) -> bool:
        self._page, self._at = next(self._pages, ()), 0
        if self._page:
            at = self._page[-1][0]
            self._report(Progress(at, max(self._head, at), self.edge.size, perf_counter() - self.began_s))
        else:
            self.at_end = True
        return bool(self._page)

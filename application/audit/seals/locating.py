"""The log does not give the root that was signed: which event is the first that is wrong, and what was done to it?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeVar

from application.audit.seals.checkpoint import Checkpoint
from application.audit.seals.findings import Finding, Kind
from application.audit.seals.leaf import Row, leaf_hash
from application.audit.seals.merkle import CompactRange
from application.audit.seals.reading import pages
from application.audit.seals.storing import BEFORE_ALL, Leaf, LogRows, SealStore

T = TypeVar("T")

SEALS = 50  # per read
MOST_DIFFERENCES = 2_000  # that are kept to tell what was moved


@dataclass(frozen=True)
class Mismatch:
    """The first checkpoint that the log does not bear out."""

    wrong: Checkpoint
    good: Checkpoint | None  # the last that it does, whoever showed it
    good_of_same: Checkpoint | None  # and the last of those who show the wrong one
    edge: CompactRange  # the tree at `good`


@dataclass
class _Differences:
    """Where log and stored leaves part: by position, what was sealed there, and what lies there now."""

    sealed: dict[int, bytes] = field(default_factory=dict)
    now: dict[int, Row] = field(default_factory=dict)
    equal_after: bool = False  # something after the first difference is as it was
    head: int = BEFORE_ALL  # of the log

    @property
    def first(self) -> int:
        return min(chain(self.sealed, self.now))

    def __len__(self) -> int:
        return len(self.sealed.keys() | self.now.keys())

    def sealed_elsewhere(self, row: Row) -> bool:
        """Whether this event was sealed at another position."""
        return any(leaf_hash((at, *row[1:])) == sealed for at, sealed in self.sealed.items() if at != row[0])

    def is_elsewhere(self, at: int, sealed: bytes) -> bool:
        """Whether the event that was sealed here lies at another position now."""
        return any(leaf_hash((at, *row[1:])) == sealed for there, row in self.now.items() if there != at)


def locate(mismatch: Mismatch, rows: LogRows, store: SealStore) -> Finding:
    """The first wrong position and what was done. The stored leaves say so where they still give the signed root."""
    wrong, good = mismatch.wrong, mismatch.good
    start, after = (good.tree_size, good.position) if good else (0, BEFORE_ALL)
    differences = _differences(rows, store, start, after)
    if differences and _leaves_are_signed(mismatch, store, start):
        return _classified(differences)
    head = rows.head()
    last = store.last()
    if head < wrong.position and (last is None or last.checkpoint.tree_size < wrong.tree_size):
        return _older(max(head, after, 0) + 1, f"the log ends at position {head:,}, and a checkpoint goes beyond it")
    if last is None or last.checkpoint.tree_size < wrong.tree_size:
        text = "another history was signed here than the database holds now"
        return _older(max(after, 0) + 1, text, wrong.position)
    if not differences:
        begin = mismatch.good_of_same.position if mismatch.good_of_same else 0
        text = "log and seals agree with each other, and contradict the checkpoint: the history was written anew"
        return _older(begin + 1, text, wrong.position)
    text = (
        f"the log was changed here, and so were the stored hashes that would tell where (as far as {wrong.position:,})"
    )
    return Finding(Kind.CHANGED, max(after, 0) + 1, text, wrong.position)


def _older(position: int, text: str, up_to: int | None = None) -> Finding:
    return Finding(Kind.RESTORED, position, f"an older state of the log was put in place: {text}", up_to)


def _leaves_are_signed(mismatch: Mismatch, store: SealStore, start: int) -> bool:
    """Whether the stored leaves lead to the root that was signed, so that they can be believed."""
    edge = mismatch.edge.copy()
    for leaf in _sealed_leaves(store, start):
        edge.extend([leaf.hash])
        if edge.size == mismatch.wrong.tree_size:
            return edge.root() == mismatch.wrong.root
    return False


def _differences(rows: LogRows, store: SealStore, start: int, after: int) -> _Differences:
    """Compare all that comes after a place, as far as the seals go; only so many differences are kept."""
    found = _Differences()
    lying, sealed = chain.from_iterable(pages(rows, after)), _sealed_leaves(store, start)
    row, leaf = next(lying, None), next(sealed, None)
    while leaf is not None:
        if row is not None and row[0] < leaf.position:
            _keep(found.now, row[0], row)
            found.head, row = row[0], next(lying, None)
            continue
        here = row if row is not None and row[0] == leaf.position else None
        if here is None or leaf_hash(here) != leaf.hash:
            _keep(found.sealed, leaf.position, leaf.hash)
            if here is not None:
                _keep(found.now, here[0], here)
        elif found:
            found.equal_after = True
        if here is not None:
            found.head, row = here[0], next(lying, None)
        leaf = next(sealed, None)
    if row is not None:
        found.head = row[0]
    return found


def _keep(kept: dict[int, T], position: int, what: T) -> None:
    if len(kept) < MOST_DIFFERENCES:
        kept[position] = what


def _classified(found: _Differences) -> Finding:
    at = found.first
    row, sealed = found.now.get(at), found.sealed.get(at)
    moved_here = row is not None and found.sealed_elsewhere(row)
    moved_away = sealed is not None and found.is_elsewhere(at, sealed)
    if (moved_here and moved_away) or (moved_here and sealed is None) or (moved_away and row is None):
        return Finding(Kind.REORDERED, at, "the event here has changed its place with others")
    if sealed is None:
        return Finding(Kind.INSERTED, at, "this event was not there when the log was sealed")
    if row is None:
        if found.head < at:
            return Finding(Kind.CUT_TAIL, at, f"the log ends before this sealed event; {len(found):,} are gone")
        return Finding(Kind.DELETED, at, "this event was there when the log was sealed")
    if moved_here:
        return Finding(Kind.DELETED, at, "the event that was sealed here is gone, and later ones have moved up")
    if moved_away:
        return Finding(Kind.INSERTED, at, "an event was put in here, and later ones have moved down")
    if len(found) > 1 and not found.equal_after:
        return _older(at, "from here on every sealed event is another one")
    return Finding(Kind.EDITED, at, "the event that is stored here is not the one that was sealed")


def _sealed_leaves(store: SealStore, start: int) -> Iterator[Leaf]:
    """The stored leaves from a place in the tree on; what was altered in the store may give any nonsense."""
    size = start
    while seals := store.seals(size, SEALS):
        for seal in seals:
            yield from seal.leaves()[max(0, size - seal.start) :]
            size = seal.checkpoint.tree_size

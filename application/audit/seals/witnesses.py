"""Every signed checkpoint there is, by tree size: from the database, from the file, and those that somebody kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import groupby, takewhile
from typing import NamedTuple

from application.audit.seals.checkpoint import Checkpoint, NotACheckpoint, Verifier
from application.audit.seals.findings import Finding, Kind
from application.audit.seals.storing import CheckpointFile, SealStore, StoredSeal

DATABASE, FILE, KEPT = "database", "file", "kept"
PAGE = 200  # seals per read
MOST_FINDINGS = 20


@dataclass(frozen=True)
class Witness:
    """A checkpoint that our key has signed, who shows it, and the row of the store where there is one."""

    checkpoint: Checkpoint
    shown_by: frozenset[str]
    seal: StoredSeal | None


class _Shown(NamedTuple):
    tree_size: int
    source: str
    note: str
    checkpoint: Checkpoint | None  # already opened
    seal: StoredSeal | None


class Witnesses:
    """Iterate once; `findings` is complete after that."""

    def __init__(self, store: SealStore, file: CheckpointFile, verifier: Verifier, kept: Sequence[str]) -> None:
        self._store = store
        self._file = file
        self._verifier = verifier
        last = store.last()
        self._store_size = last.checkpoint.tree_size if last else 0
        self._file_size = self._size_in_file()
        self._last_good = 0  # position
        self.findings: list[Finding] = []
        if other := other_log(file, verifier):
            self._altered(f"sealing was begun anew: {other}; to mean it, move that log's folder to a safe place")
        self._kept = sorted(self._opened(kept), key=lambda one: one.tree_size)
        # What is signed while we look is left out: its events may come after the last page of the log that we read.
        self._most = max(self._store_size, self._file_size, *(one.tree_size for one in self._kept), 0)

    def __iter__(self) -> Iterator[Witness]:
        shown = merge(self._in_store(), self._in_file(), self._kept, key=lambda one: one.tree_size)
        known = takewhile(lambda one: one.tree_size <= self._most, shown)
        for size, group in groupby(known, key=lambda one: one.tree_size):
            yield from self._of_one_size(size, list(group))

    def _of_one_size(self, size: int, shown: Sequence[_Shown]) -> Iterator[Witness]:
        sources = frozenset(one.source for one in shown)
        if size <= self._store_size and size <= self._file_size and sources == {DATABASE}:
            self._altered(f"the file lacks the checkpoint of {size} events")
        if size <= self._store_size and DATABASE not in sources and FILE in sources:
            self._altered(f"the database lacks the checkpoint of {size} events")
        by_note: dict[str, list[_Shown]] = {}
        for one in shown:
            by_note.setdefault(one.note, []).append(one)
        for note, group in by_note.items():
            try:
                checkpoint = group[0].checkpoint or self._verifier.open(note)
            except NotACheckpoint as refused:
                self._altered(f"the checkpoint of {size} events in the {group[0].source}: {refused}")
                continue
            seal = next((one.seal for one in group if one.seal is not None), None)
            if seal is not None and seal.checkpoint != checkpoint:
                self._altered(f"the columns of the checkpoint of {size} events are not what was signed")
                seal = None
            yield Witness(checkpoint, frozenset(one.source for one in group), seal)
            self._last_good = checkpoint.position  # whoever asks for the next one has found this one right

    # --- the sources --------------------------------------------------------------------------------------------------

    def _in_store(self) -> Iterator[_Shown]:
        size = 0
        while seals := self._store.seals(size, PAGE):
            for seal in seals:
                size = seal.checkpoint.tree_size
                yield _Shown(size, DATABASE, seal.note, None, seal)

    def _in_file(self) -> Iterator[_Shown]:
        before, torn = 0, False
        for note in self._file.notes():
            if torn:
                self._altered("something that is no checkpoint stands in the file")
            torn = False
            size = _size_in(note)
            if size is None:
                torn = True  # at the very end a crash may have left it
            elif size <= before:
                self._altered(f"the checkpoint of {size} events stands in the wrong place of the file")
            else:
                before = size
                yield _Shown(size, FILE, note, None, None)

    def _opened(self, kept: Sequence[str]) -> Iterator[_Shown]:
        """Raises NotACheckpoint: what the caller brings must be right, or nothing is proved."""
        for note in kept:
            checkpoint = self._verifier.of_any_log(note)
            if checkpoint.origin == self._verifier.name:
                yield _Shown(checkpoint.tree_size, KEPT, note, checkpoint, None)
            else:
                other = f"the kept checkpoint of {checkpoint.tree_size} events is of {checkpoint.origin}"
                self._altered(f"sealing was begun anew: {other}")

    def _size_in_file(self) -> int:
        last = self._file.last()
        return (_size_in(last) or 0) if last else 0

    def _altered(self, text: str) -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(Kind.SEALS_ALTERED, self._last_good + 1, text))


def other_log(file: CheckpointFile, verifier: Verifier) -> str | None:
    """Another log of this database that this key has signed, in words. Only a person can have meant to begin anew."""
    for note in file.of_other_logs():
        try:
            checkpoint = verifier.of_any_log(note)
        except NotACheckpoint:
            continue  # of an earlier key
        if checkpoint.origin != verifier.name:
            return f"{checkpoint.origin}, {checkpoint.tree_size} events, was signed for this database before"
    return None


def _size_in(note: str) -> int | None:
    """The tree size that a note claims, before anybody has checked it."""
    lines = note.split("\n", 2)
    return int(lines[1]) if len(lines) == 3 and lines[1].isdecimal() and len(lines[1]) < 20 else None

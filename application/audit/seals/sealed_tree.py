"""The tree of what has been sealed, as far as it is needed to go on: it only grows, and only from what was signed."""

from __future__ import annotations

from collections.abc import Sequence

from application.audit.seals.checkpoint import Checkpoint, NotACheckpoint, Signer
from application.audit.seals.leaf import HASH_BYTES, Row, leaf_hash
from application.audit.seals.merkle import CompactRange, Node
from application.audit.seals.storing import (
    BEFORE_ALL,
    POSITION_BYTES,
    CheckpointFile,
    LogRows,
    SealStore,
    StoredSeal,
)
from application.audit.seals.witnesses import other_log
from application.ports import Clock

MOST_UNDER_ONE_SEAL = 500  # events
BATCH = 10 * MOST_UNDER_ONE_SEAL  # events per transaction
PAGE = 500  # notes that are added to the file at once


class RefusedToSeal(Exception):
    """What is there does not extend what was signed; says what was found. Nothing is signed until it does."""


class SealedTree:
    """What has been sealed so far, as far as it is needed to go on. Blocks. Used by one thread."""

    def __init__(
        self,
        store: SealStore,
        file: CheckpointFile,
        signer: Signer,
        edge: CompactRange,
        last: StoredSeal | None,
    ) -> None:
        self._store = store
        self._file = file
        self._signer = signer
        self._edge = edge
        self._last = last
        self._published = 0  # the tree size that the file is known to have

    @classmethod
    def load(cls, store: SealStore, file: CheckpointFile, signer: Signer) -> SealedTree:
        """The tree as it was stored. Raises RefusedToSeal where store and file do not bear each other out."""
        if other := other_log(file, signer.verifier):
            raise RefusedToSeal(f"{other}: its seals are gone from the database; run orders audit verify")
        in_file = file.last()  # before the store, which is written first: another sealer may be at work
        last = store.last()
        _require_same_in_file(store, in_file, signer, last)
        if last is None:
            return cls(store, file, signer, CompactRange(), None)
        try:
            signed = signer.verifier.open(last.note)
        except NotACheckpoint as refused:
            raise RefusedToSeal(f"the last seal in the database cannot be used: {refused}") from refused
        try:
            edge = CompactRange.stored(signed.tree_size, store.node)
        except LookupError as missing:
            raise RefusedToSeal(f"the stored tree is not whole: {missing}") from missing
        if signed != last.checkpoint or edge.root() != signed.root:
            raise RefusedToSeal(f"the stored tree of {signed.tree_size} events is not the one that was signed")
        return cls(store, file, signer, edge, last)

    def rows_after(self, rows: LogRows) -> Sequence[Row]:
        """The next events of the log. Raises RefusedToSeal where the last sealed one is not there as it was."""
        if self._last is None:
            return rows.after(BEFORE_ALL, BATCH)
        position = self._last.checkpoint.position
        found = rows.after(position - 1, BATCH + 1)
        if not found or found[0][0] != position:
            raise RefusedToSeal(f"the last sealed event, at position {position}, is gone from the log")
        if leaf_hash(found[0]) != self._last.hashes[-HASH_BYTES:]:
            raise RefusedToSeal(f"the last sealed event, at position {position}, is not what was sealed")
        return found[1:]

    def add(self, rows: Sequence[Row], clock: Clock) -> bool:
        """Sign the tree with these events; False where somebody else has added to it first."""
        edge, seals, nodes = self._edge.copy(), list[StoredSeal](), list[Node]()
        for start in range(0, len(rows), MOST_UNDER_ONE_SEAL):
            part = rows[start : start + MOST_UNDER_ONE_SEAL]
            leaves = [leaf_hash(row) for row in part]
            nodes += edge.extend(leaves)
            head = Checkpoint(self._signer.name, edge.size, edge.root(), part[-1][0], clock.now())
            positions = b"".join(row[0].to_bytes(POSITION_BYTES, signed=True) for row in part)
            seals.append(StoredSeal(head, self._signer.sign(head), b"".join(leaves), positions))
        if not self._store.append(self._edge.size, seals, nodes):
            return False
        self._edge, self._last = edge, seals[-1]
        return True

    def publish(self) -> None:
        """Bring the file to where the store is. The store goes first, so a crash between them leaves the file behind.

        Raises RefusedToSeal where the file has what the store has not.
        """
        if self._last is None or self._published == self._edge.size:
            return
        with self._store.exclusive():
            self._file.publish_key(self._signer.verifier.text)
            size = _size_of(self._file.last(), self._signer)
            while seals := self._store.seals(size, PAGE):
                self._file.append([seal.note for seal in seals])
                size = seals[-1].checkpoint.tree_size
        if size < self._edge.size:
            raise RefusedToSeal("the database has lost seals while this program ran")
        self._published = self._edge.size


def _size_of(note: str | None, signer: Signer) -> int:
    if note is None:
        return 0
    try:
        return signer.verifier.open(note).tree_size
    except NotACheckpoint as refused:
        raise RefusedToSeal(f"the last checkpoint in the file cannot be used: {refused}") from refused


def _require_same_in_file(store: SealStore, in_file: str | None, signer: Signer, last: StoredSeal | None) -> None:
    size = _size_of(in_file, signer)
    if size == 0:
        return
    if last is None or size > last.checkpoint.tree_size:
        have = 0 if last is None else last.checkpoint.tree_size
        raise RefusedToSeal(f"the file has a checkpoint of {size} events, the database only of {have}: an old backup?")
    (same,) = store.seals(size - 1, 1)
    if same.note != in_file:
        raise RefusedToSeal(f"file and database have different checkpoints of {size} events")

"""The ports of sealing: the log's rows, the store of the seals, and the file that keeps the checkpoints beside it.

All of them block; they are used on threads of their own and in commands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from uuid import UUID

from application.audit.seals.checkpoint import Checkpoint
from application.audit.seals.leaf import HASH_BYTES, Row
from application.audit.seals.merkle import Node

BEFORE_ALL = -(2**63)  # below every position that a table can hold
POSITION_BYTES = 8


class StoreFailed(Exception):
    """The database cannot be used now; the text names no data."""


class Leaf(NamedTuple):
    position: int
    hash: bytes


@dataclass(frozen=True)
class StoredSeal:
    """A row of the store: a checkpoint, its signed note, and what the tree gained since the one before."""

    checkpoint: Checkpoint  # as the columns have it
    note: str
    hashes: bytes  # of the leaves that are new under it, one after the other
    positions: bytes  # of the same events, 8 bytes each, big-endian

    @property
    def start(self) -> int:
        """How many events the checkpoint before covers."""
        return self.checkpoint.tree_size - len(self.hashes) // HASH_BYTES

    def leaves(self) -> list[Leaf]:
        hashes, positions = self.hashes, self.positions
        return [
            Leaf(
                int.from_bytes(positions[n * POSITION_BYTES : (n + 1) * POSITION_BYTES], signed=True),
                hashes[n * HASH_BYTES : (n + 1) * HASH_BYTES],
            )
            for n in range(len(hashes) // HASH_BYTES)
        ]


class LogRows(Protocol):
    """The stored events as they lie in the table, not decoded. Raises StoreFailed."""

    def after(self, position: int, limit: int) -> Sequence[Row]:
        """The next rows by position, which become visible in this order."""
        ...

    def head(self) -> int:
        """The last position; 0 when the log is empty."""
        ...


class SealStore(Protocol):
    """Checkpoints and stored nodes; rows are only ever added. Raises StoreFailed."""

    @property
    def log_id(self) -> UUID:
        """Drawn when the store was made: which log this is, whatever its database is called."""
        ...

    def last(self) -> StoredSeal | None: ...

    def seals(self, after_size: int, limit: int) -> Sequence[StoredSeal]:
        """The next seals, by tree size."""
        ...

    def covering(self, position: int) -> StoredSeal | None:
        """The earliest seal whose last event is at this position or later."""
        ...

    def leaves(self, start: int, end: int) -> Sequence[Leaf]:
        """Leaves by their places in the tree. Raises LookupError."""
        ...

    def node(self, level: int, number: int) -> bytes:
        """The hash of a perfect subtree of any level. Raises LookupError."""
        ...

    def nodes(self, level: int, start: int, limit: int) -> Sequence[Node]:
        """Stored nodes of one level, by number."""
        ...

    def append(self, base_size: int, seals: Sequence[StoredSeal], nodes: Sequence[Node]) -> bool:
        """Add all of it in one transaction; False, and nothing added, where the last seal is not of `base_size`."""
        ...

    def exclusive(self) -> AbstractContextManager[None]:
        """One sealer at a time, over all processes, while the block lasts."""
        ...

    def lead(self, owner: str, lease_s: float) -> bool:
        """Take or keep the lease; False while somebody else has it. It only saves work."""
        ...

    def step_down(self, owner: str) -> None: ...

    def note_problem(self, problem: str | None) -> None:
        """Why sealing stands still, for everybody to see; None: it does not."""
        ...


class CheckpointFile(Protocol):
    """The signed notes outside the database: only ever added to, and flushed to the disk. Raises OSError."""

    def last(self) -> str | None:
        """The last whole note."""
        ...

    def notes(self) -> Iterator[str]:
        """All of them in their order; what is no note comes as the text that it is."""
        ...

    def append(self, notes: Sequence[str]) -> None: ...

    def publish_key(self, verifier_key: str) -> None:
        """Write the public key and the name of the database beside the notes, where they are not there yet."""
        ...

    def of_other_logs(self) -> Iterator[str]:
        """The last note of every other log that was kept here for the same database."""
        ...

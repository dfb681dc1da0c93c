"""What an erasure needs of the stores that hold somebody's data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec


@dataclass(frozen=True)
class ErasedRecords:
    """How many records of the directory held the client in the clear, and do so no longer."""

    clients: int = 0
    users: int = 0
    sessions: int = 0
    payment_methods: int = 0


class NotScrubbed(Exception):
    """The rows are erased; their bytes may still be in the database's files. The reason names no data. Try again."""


class ErasableDirectory(Protocol):
    """The directory. Raises DirectoryUnavailable."""

    async def knows(self, client_id: int) -> bool:
        """Whether it has a record of the client, active, inactive or erased."""
        ...

    async def erase(self, client_id: int, at: datetime) -> ErasedRecords:
        """Empty the records of the client and of its users, for good: no import brings them back. May come twice."""
        ...

    async def scrub(self) -> None:
        """Take what was erased out of the files. Raises NotScrubbed."""
        ...

    async def held(self, client_ids: Sequence[int]) -> list[int]:
        """Those of the clients whose name, address or users are in the directory."""
        ...


class ErasableIndex(Protocol):
    """The search index of personal data, and the key store that it lies beside. Raises PersonIndexUnavailable."""

    async def forget(self, client_id: int) -> int:
        """Remove all entries of the client; how many there were. Nothing adds new ones once its key is destroyed."""
        ...

    async def scrub(self) -> None:
        """Take removed entries and destroyed keys out of the files. Raises NotScrubbed."""
        ...


class IndexEntry(msgspec.Struct, frozen=True):
    """One order can be found by one keyed digest."""

    digest: str  # hexadecimal
    order_id: UUID
    client_id: int
    position: int  # of the order's first event


class PersonIndex(Protocol):
    """Entries, and the position of the log up to which they are complete. Raises PersonIndexUnavailable."""

    async def position(self) -> int: ...

    async def add(self, entries: Sequence[IndexEntry], after: int, upto: int) -> bool:
        """Take in the entries of the events after one position up to another, but none of an erased client.

        False, and nothing changed, where somebody else has moved on from `after` meanwhile.
        """
        ...

    async def find(self, digests: Sequence[str], limit: int) -> list[UUID]:
        """The orders with any of the digests, newest first."""
        ...

    async def clear(self) -> None:
        """Begin again at position 0, with no entries."""
        ...


class PersonIndexUnavailable(Exception):
    """The index cannot be read or written right now."""

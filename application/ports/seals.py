"""The port to the seals: which signed tree head covers an event of the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Seal:
    """A signed tree head over the log, up to and including the event at `position`."""

    tree_size: int  # events under the seal
    position: int  # of the last of them
    root_hash: str  # SHA-256, hexadecimal
    sealed_at: datetime  # UTC, the sealer's clock


class Seals(Protocol):
    async def covering(self, positions: Sequence[int]) -> Mapping[int, Seal]:
        """The earliest seal that covers each position; those that no seal covers yet are left out."""
        ...

"""The books of a month, made from the log, and the seal that covers what they were made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from application.ports.seals import Seal
from domain.period import ExportedFile, RuleVersion

Progress = Callable[[str, int, int], None]
"""Told what is being done, and how far it has come of how much."""


class NotMade(Exception):
    """The books cannot be made; the text says why and what to do."""


class NotBooked(NotMade):
    """An event that moved money cannot be booked."""


@dataclass(frozen=True)
class MonthBooks:
    """What was booked in one month, up to a cut-off."""

    rules: tuple[RuleVersion, ...]
    exports: tuple[ExportedFile, ...]  # written files, by format
    entries: int
    postings: int
    debit_cents: int
    credit_cents: int
    balance_cents: int  # of the whole trial balance at the cut-off: zero, or the ledger is wrong


@dataclass(frozen=True)
class Cut:
    """A closed month and the last position of the log that its books were made from."""

    period: str
    position: int


class Bookkeeper(Protocol):
    """Makes books from nothing but the log."""

    @property
    def topics(self) -> Sequence[str]:
        """Of the events that it books."""
        ...

    async def make(
        self, period: str, cut_off: int, closed: Sequence[Cut], folder: Path, progress: Progress
    ) -> MonthBooks:
        """Fold the log up to the cut-off and write the month's exports to the folder. Equal logs make equal bytes.

        `closed`: the months before, oldest first. Raises NotMade, NotBooked also where a person gave the event up.
        """
        ...

    async def set_aside(self) -> int:
        """How many events the read models could not take in."""
        ...


class NotSigned(Exception):
    """What stands in the place of a seal was not signed with the key of this log."""


class SealedLog(Protocol):
    """The log as it was signed, and as it is. Raises NotMade where it cannot be read."""

    async def last_seal(self) -> Seal | None:
        """The newest tree head, its signature checked. Raises NotSigned."""
        ...

    async def seal_of(self, tree_size: int) -> Seal | None:
        """The tree head of so many events, its signature checked; None where there is none. Raises NotSigned."""
        ...

    async def recomputed(self, position: int, progress: Progress) -> tuple[int, str]:
        """Size and root (hexadecimal) of the tree over the events that the log holds up to there, hashed anew."""
        ...

"""Period: a month of the books, and its closing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.stream import Metadata, Stream


@dataclass(frozen=True)
class RuleVersion:
    """A rule of the ledger that booked entries of the period."""

    id: str
    version: int


@dataclass(frozen=True)
class ExportedFile:
    """One file of the period's journal as it was at the closing."""

    format: str
    sha256: str  # hexadecimal


class Period(Stream):
    """One per month. What is recorded after its closing is booked in the next month that is open."""

    class Event(Stream.Event):
        pass

    class Closed(Event):
        """The month's books are final: their exports can be made again, byte for byte, from the sealed log."""

        TOPIC = "period.closed.v1"

        period: str  # as 2026-10, UTC
        ends_at: datetime  # the first instant after the month
        cut_off_position: int  # of the last event of the log that the books of the period were made from
        tree_size: int  # of the seal that covers the cut-off
        root_hash: str  # of that seal; SHA-256, hexadecimal
        rules: tuple[RuleVersion, ...]
        exports: tuple[ExportedFile, ...]
        entries: int
        postings: int
        debit_cents: int  # equal to the credits
        owned_breaks: int  # settlement breaks that somebody still works on

        def apply(self, period: Period) -> None:
            period.closed = self

    def __init__(self) -> None:
        self.closed: Period.Closed | None = None

    def close_once(self, metadata: Metadata, **facts: Any) -> None:
        """Take the facts of `Closed`. Closing it again changes nothing."""
        if self.closed is None:
            self.record(metadata, self.Closed, **facts)

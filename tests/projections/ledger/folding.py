"""The ledger without a database: what a fold appends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from domain.stream import Stream
from projections.ledger.model import Ledger
from projections.ledger.tables import entries, postings
from projections.model import Recorded

MODEL = Ledger()


@dataclass(frozen=True)
class Booked:
    """Rows as tuples, in the order of their tables' columns."""

    entries: list[tuple[Any, ...]]
    postings: list[tuple[Any, ...]]

    @property
    def lines(self) -> list[tuple[str, int, str | None]]:
        """Account, cents and item of every posting."""
        return [posting[2:] for posting in self.postings]

    @property
    def balances(self) -> dict[str, int]:
        """Of the accounts that are not zero."""
        sums: dict[str, int] = {}
        for account, cents, _ in self.lines:
            sums[account] = sums.get(account, 0) + cents
        return {account: cents for account, cents in sums.items() if cents}

    @property
    def rules(self) -> list[str]:
        return [entry[3] for entry in self.entries]


def folded(events: Iterable[Stream.Event]) -> Booked:
    """When these events are the log."""
    log = [Recorded(position, event) for position, event in enumerate(events, start=1)]
    changes = MODEL.changes([recorded for recorded in log if MODEL.wants(recorded.event)], {})
    return Booked(changes.appends[entries], changes.appends[postings])

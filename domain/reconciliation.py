"""Reconciliation: that the log was compared with what the gateway settled, over which days and how completely."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from domain.stream import Metadata, Stream


class Reconciliation(Stream):
    """One per range of days; each run over it is an event."""

    class Event(Stream.Event):
        pass

    class Completed(Event):
        """A run over the range came to its end: batches taken in, both sides compared, breaks recorded."""

        TOPIC = "reconciliation.completed.v1"

        since: datetime  # inclusive, UTC
        until: datetime  # exclusive
        not_settled: tuple[str, ...]  # batches that the gateway was not done with, so they are not taken in

        def apply(self, reconciliation: Reconciliation) -> None:
            """Nothing is decided by the runs before."""

    def complete(self, metadata: Metadata, **facts: Any) -> None:
        """Take the facts of `Completed`. Each run counts."""
        self.record(metadata, self.Completed, **facts)

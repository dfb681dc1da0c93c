"""The rows of the streams that were written last: an order's events come in several batches within a second or two."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from uuid import UUID

import sqlalchemy as sa

from projections.model import Recorded, Records

STREAMS = 1_000  # of each read model; when there are twice as many, the older half is let go


class RecentRows:
    """What a generation holds of some streams, as this process wrote it. To be trusted while nobody else has."""

    def __init__(self, tables: Iterable[sa.Table]) -> None:
        self.records = {table: Records(table) for table in tables}
        self._streams: dict[int, None] = {}  # by the number of the id; the last used one is the last

    def unknown(self, batch: Sequence[Recorded]) -> list[UUID]:
        """The streams of a batch that nothing is known of, but those that begin in it, which have no rows.

        All of the batch count as known from now on.
        """
        streams, unknown = self._streams, dict[UUID, None]()
        for _, event in batch:
            number = event.originator_id.int
            if streams.pop(number, True) and event.originator_version != 1:
                unknown[event.originator_id] = None
            streams[number] = None
        return list(unknown)

    def let_go(self) -> None:
        """Keep no more than what may soon be needed again."""
        if len(self._streams) > 2 * STREAMS:
            self._streams = dict.fromkeys(islice(self._streams, len(self._streams) - STREAMS, None))
            for records in self.records.values():
                records.keep(self._streams)

    def forget(self) -> None:
        self._streams.clear()
        for records in self.records.values():
            records.keep(())

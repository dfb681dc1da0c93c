"""The rows of the streams that were written last: an order's events come in several batches within a second or two."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import islice
from uuid import UUID

import sqlalchemy as sa

from projections.model import Changes, Key, Row

STREAMS = 1_000  # of each read model

Rows = dict[Key, Row]


class RecentRows:
    """What a generation holds of some streams, as this process wrote it. To be trusted while nobody else has."""

    def __init__(self) -> None:
        self._streams: dict[UUID, dict[sa.Table, Rows]] = {}  # the last used one is the last

    def take(self, streams: Iterable[UUID], tables: Iterable[sa.Table]) -> tuple[dict[sa.Table, Rows], list[UUID]]:
        """The rows of the streams, and those of the streams that nothing is known of. They are given away, since they
        are about to change: `keep` brings them back."""
        found: dict[sa.Table, Rows] = {table: {} for table in tables}
        unknown: list[UUID] = []
        for stream_id in streams:
            kept = self._streams.pop(stream_id, None)
            if kept is None:
                unknown.append(stream_id)
            else:
                for table, rows in kept.items():
                    found[table].update(rows)
        return found, unknown

    def keep(self, streams: Collection[UUID], changes: Changes) -> None:
        """Remember what a batch of these streams has left, also where that is nothing."""
        kept: dict[UUID, dict[sa.Table, Rows]] = {stream_id: {} for stream_id in streams}
        for table, records in changes.records.items():
            for key, row in records.rows.items():
                if row is not None:
                    kept[key[0]].setdefault(table, {})[key] = row
        self._streams.update(kept)
        if (over := len(self._streams) - STREAMS) > 0:  # at once: to find the first means to pass those gone before
            for stream_id in list(islice(self._streams, over)):
                del self._streams[stream_id]

    def forget(self) -> None:
        self._streams.clear()

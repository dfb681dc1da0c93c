"""What a read model is: tables, the events it listens to, and a pure fold of events into rows held in memory.

A model's tables are of three kinds. *Records* have one row per thing, found by the stream it comes from and rewritten
as a whole; *sums* only ever grow by amounts, so that nothing has to be read before they are written; *appends* only
ever get new rows, and no row of them is changed or removed.
"""

from __future__ import annotations

import hashlib
import sys
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from domain.stream import Stream, topics_of
from projections.code_digest import code_digest

GENERATION = "generation"  # stands for the schema of a generation, whose name is known when a statement runs

Row = dict[str, Any]
Key = tuple[Any, ...]
RowKey = int | Key
Sums = dict[Key, dict[str, int]]
"""What to add to the rows of one table: by primary key, an amount for each column, 0 where none was named."""


class Recorded(NamedTuple):
    """One event with its position in the log."""

    position: int
    event: Stream.Event | Undecodable


class Undecodable(Exception):
    """An event whose stored state cannot be read. It stands in its place in the log, and cannot be folded."""

    def __init__(self, originator_id: UUID, originator_version: int, topic: str, reason: str) -> None:
        super().__init__(f"{topic} {originator_id}/{originator_version} cannot be read: {reason}")
        self.originator_id = originator_id
        self.originator_version = originator_version
        self.topic = topic


class NotFolded(Exception):
    """A read model cannot take an event in: the event is broken, or the model's code is."""

    def __init__(self, position: int, event: Stream.Event | Undecodable, error: Exception) -> None:
        topic = event.topic if isinstance(event, Undecodable) else event.TOPIC  # type: ignore[attr-defined]
        super().__init__(
            f"position {position} ({topic}, stream {event.originator_id}): {type(error).__name__}: {error}"
        )
        self.position = position


class Records:
    """The rows of one table by primary key, as far as they are known; its first column is the stream's id.

    The number of the id stands for it in keys: numbers are hashed at once, a UUID calls Python for it.
    """

    def __init__(self, table: sa.Table) -> None:
        self._key = tuple(column.name for column in table.primary_key)
        self._stream, *self._rest = self._key
        self.rows: dict[RowKey, Row] = {}
        self._touched: dict[RowKey, bool] = {}  # by the batch; whether the table had the row before
        self._dropped: dict[RowKey, Row] = {}

    def find(self, stream_id: UUID, /, *rest: Any) -> Row | None:
        """The row as it is now; change it with `change` only."""
        return self.rows.get((stream_id.int, *rest) if rest else stream_id.int)

    def of_stream(self, stream_id: UUID) -> list[Row]:
        """All rows of the stream."""
        return [row for row in self.rows.values() if row[self._stream] == stream_id]

    def put(self, row: Row) -> None:
        """Write a row with all its columns, new or instead of the one that is there."""
        key = self._key_of(row)
        self._touched.setdefault(key, key in self.rows)
        self.rows[key] = row

    def change(self, stream_id: UUID, /, *rest: Any, **values: Any) -> Row | None:
        """Set some columns of a row; None, and no change, where there is none."""
        key = (stream_id.int, *rest) if rest else stream_id.int
        row = self.rows.get(key)
        if row is not None:
            row.update(values)
            self._touched.setdefault(key, True)
        return row

    def drop(self, stream_id: UUID, /, *rest: Any) -> None:
        key = (stream_id.int, *rest) if rest else stream_id.int
        row = self.rows.pop(key, None)
        if row is not None:
            self._touched.setdefault(key, True)
            self._dropped[key] = row

    def loaded(self, rows: Iterable[Row]) -> None:
        """What the table holds of streams that nothing was known of."""
        self.rows.update((self._key_of(row), row) for row in rows)

    def written(self) -> tuple[list[Row], list[Row], list[Key]]:
        """The rows that are new, those that were there and have changed, and the keys of those to delete; from then
        on they count as what the table holds."""
        new: list[Row] = []
        changed: list[Row] = []
        gone: list[Key] = []
        rows = self.rows
        for key, was_there in self._touched.items():
            if key in rows:
                (changed if was_there else new).append(rows[key])
            elif was_there:
                gone.append(tuple([self._dropped[key][name] for name in self._key]))
        self._settle()
        return new, changed, gone

    def keep(self, streams: Container[int]) -> None:
        """Forget the rows of all others, and what the batch has touched."""
        self.rows = {key: row for key, row in self.rows.items() if row[self._stream].int in streams} if streams else {}
        self._settle()

    def _settle(self) -> None:
        self._touched.clear()
        self._dropped.clear()

    def _key_of(self, row: Row) -> RowKey:
        number: int = row[self._stream].int
        return (number, *[row[name] for name in self._rest]) if self._rest else number


class Changes:
    """What one batch changes in the tables of one read model."""

    def __init__(self, model: ReadModel, known: Mapping[sa.Table, Records]) -> None:
        self.records = known or {table: Records(table) for table in model.records}
        self.sums: dict[sa.Table, Sums] = {table: _no_sums(table) for table in model.sums}
        self.appends: dict[sa.Table, list[tuple[Any, ...]]] = {table: [] for table in model.appends}  # in column order


def _no_sums(table: sa.Table) -> Sums:
    zero = {column.name: 0 for column in table.columns if not column.primary_key}
    return defaultdict(zero.copy)


class ReadModel(ABC):
    """One read model. A subclass names its tables, all in the schema GENERATION, and the events that it folds.

    `fold` decides on the event and the rows alone: no clock, no random, no order among streams that are independent.
    """

    name: ClassVar[str]
    records: ClassVar[tuple[sa.Table, ...]] = ()
    sums: ClassVar[tuple[sa.Table, ...]] = ()
    appends: ClassVar[tuple[sa.Table, ...]] = ()
    events: ClassVar[frozenset[type[Stream.Event]]]

    @abstractmethod
    def fold(self, event: Stream.Event, position: int, changes: Changes) -> None:
        """Take in one of `events`, which stands at `position` in the log."""

    def wants(self, event: Stream.Event | Undecodable) -> bool:
        return type(event) in self.events or (isinstance(event, Undecodable) and event.topic in self.topics)

    def wanted(self, events: Sequence[Recorded]) -> list[Recorded]:
        """Those that it listens to."""
        types = self.events
        return [e for e in events if type(e[1]) in types or (type(e[1]) is Undecodable and self.wants(e[1]))]

    @cached_property
    def topics(self) -> frozenset[str]:
        return topics_of(self.events)

    @property
    def tables(self) -> tuple[sa.Table, ...]:
        return self.records + self.sums + self.appends

    def changes(self, batch: Sequence[Recorded], known: Mapping[sa.Table, Records]) -> Changes:
        """All events of the batch, folded into the rows that are known. Raises NotFolded."""
        changes = Changes(self, known)
        for position, event in batch:
            try:
                if isinstance(event, Undecodable):
                    raise event
                self.fold(event, position, changes)
            except Exception as error:
                raise NotFolded(position, event, error) from error
        return changes

    @cached_property
    def code_digest(self) -> str:
        """Of the file that the model stands in: rows made by other code are not taken for rows made by this one."""
        file = sys.modules[type(self).__module__].__file__
        assert file is not None
        return code_digest([Path(file)])

    @cached_property
    def shape_digest(self) -> str:
        """Of the tables: code that expects other columns can neither read nor write them."""
        columns = [f"{c.table.name}.{c.name} {c.type!r} {c.primary_key}" for t in self.tables for c in t.columns]
        return hashlib.sha256("\n".join(columns).encode()).hexdigest()[:16]

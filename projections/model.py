"""What a read model is: tables, the events it listens to, and a pure fold of events into rows held in memory.

A model's tables are of three kinds. *Records* have one row per thing, found by the stream it comes from and rewritten
as a whole; *sums* only ever grow by amounts, so that nothing has to be read before they are written; *appends* only
ever get new rows, and no row of them is changed or removed.
"""

from __future__ import annotations

import hashlib
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
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
    """The rows of one table that a batch touches, by primary key; its first column is the stream's id."""

    def __init__(self, table: sa.Table, stored: Mapping[Key, Row] | None = None) -> None:
        self._key = tuple(column.name for column in table.primary_key)
        self.stored = stored or {}  # what the table holds of the streams of this batch
        self.rows: dict[Key, Row | None] = dict(self.stored)  # None: to be deleted
        self._changed: set[int] = set()  # by identity: hashing keys would cost more than the fold

    def find(self, *key: Any) -> Row | None:
        """The row as it is now; change it with `change` only."""
        return self.rows.get(key)

    def of_stream(self, stream_id: UUID) -> list[Row]:
        """All rows of the stream."""
        return [row for key, row in self.rows.items() if row is not None and key[0] == stream_id]

    def put(self, row: Row) -> None:
        """Write a row with all its columns, new or instead of the one that is there."""
        key = tuple(row[name] for name in self._key)
        self.rows[key] = row
        self._changed.add(id(row))

    def change(self, *key: Any, **values: Any) -> Row | None:
        """Set some columns of a row; None, and no change, where there is none."""
        row = self.rows.get(key)
        if row is not None:
            row.update(values)
            self._changed.add(id(row))
        return row

    def drop(self, *key: Any) -> None:
        if self.rows.get(key) is not None:
            self.rows[key] = None

    def written(self) -> tuple[list[Row], list[Row], list[Key]]:
        """The rows that are new, those that were there and have changed, and the keys of those to delete."""
        new: list[Row] = []
        changed: list[Row] = []
        gone: list[Key] = []
        for key, row in self.rows.items():
            if row is None:
                if key in self.stored:
                    gone.append(key)
            elif id(row) in self._changed:
                (changed if key in self.stored else new).append(row)
        return new, changed, gone


class Sums:
    """Amounts to add to the rows of one table, by primary key; columns that are not named grow by 0."""

    def __init__(self) -> None:
        self.amounts: dict[Key, dict[str, int]] = {}

    def add(self, *key: Any, **amounts: int) -> None:
        row = self.amounts.setdefault(key, {})
        for name, amount in amounts.items():
            row[name] = row.get(name, 0) + amount


class Changes:
    """What one batch changes in the tables of one read model."""

    def __init__(self, model: ReadModel, stored: Mapping[sa.Table, Mapping[Key, Row]]) -> None:
        self.records = {table: Records(table, stored.get(table)) for table in model.records}
        self.sums = {table: Sums() for table in model.sums}
        self.appends: dict[sa.Table, list[tuple[Any, ...]]] = {table: [] for table in model.appends}  # in column order


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

    def changes(self, batch: Sequence[Recorded], stored: Mapping[sa.Table, Mapping[Key, Row]]) -> Changes:
        """All events of the batch, folded. Raises NotFolded."""
        changes = Changes(self, stored)
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

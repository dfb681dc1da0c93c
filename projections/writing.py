"""How rows get into a generation's tables: a few statements per batch, made once, whatever the batch holds.

The statements are plain SQL that SQLite and PostgreSQL share. Values go through SQLAlchemy's types, so that queries
find them as they were written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from projections.model import GENERATION, Changes, Key, ReadModel, Recorded, Row

CHUNK = 500  # ids per SELECT


class TableWriter:
    """Writes one table of one generation. `schema`: None on SQLite, where a generation is a file."""

    def __init__(self, table: sa.Table, schema: str | None, dialect: sa.Dialect) -> None:
        self.table = table
        self._options = {"schema_translate_map": {GENERATION: schema}}
        self._names = [column.name for column in table.columns]
        self._key = [column.name for column in table.primary_key]
        self._to_sql = {c.name: c.type.dialect_impl(dialect).bind_processor(dialect) for c in table.columns}
        self._postgresql = dialect.name == "postgresql"
        mark = "%s" if self._postgresql else "?"
        named = f'"{schema}".{table.name}' if schema else table.name
        columns = f"{named} ({', '.join(self._names)})"
        values = [name for name in self._names if name not in self._key]
        replaced = ", ".join(f"{name} = excluded.{name}" for name in values)
        added = ", ".join(f"{name} = {table.name}.{name} + excluded.{name}" for name in values)
        # The names are ours, from the table's definition.
        insert = f"INSERT INTO {columns} VALUES ({', '.join([mark] * len(self._names))})"  # noqa: S608
        conflict = f"{insert} ON CONFLICT ({', '.join(self._key)}) DO"
        self._insert = insert
        self._upsert = f"{conflict} UPDATE SET {replaced}" if values else f"{conflict} NOTHING"
        self._add = f"{conflict} UPDATE SET {added}"
        self._delete = f"DELETE FROM {named} WHERE {' AND '.join(f'{name} = {mark}' for name in self._key)}"  # noqa: S608
        self._copy = f"COPY {columns} FROM STDIN"

    def load(self, connection: sa.Connection, stream_ids: Sequence[UUID]) -> dict[Key, Row]:
        """The rows of the streams, by primary key."""
        found: dict[Key, Row] = {}
        stream = next(iter(self.table.primary_key))
        for start in range(0, len(stream_ids), CHUNK):
            query = sa.select(self.table).where(stream.in_(stream_ids[start : start + CHUNK]))
            for row in connection.execute(query, execution_options=self._options).mappings():
                found[tuple(row[name] for name in self._key)] = dict(row)
        return found

    def put(self, connection: sa.Connection, rows: Iterable[Row]) -> None:
        """Rows that may be there already."""
        self._many(connection, self._upsert, [self._values(row, self._names) for row in rows])

    def put_new(self, connection: sa.Connection, rows: Iterable[Row]) -> None:
        """Many rows that are certainly not there."""
        values = [self._values(row, self._names) for row in rows]
        if not self._postgresql or len(values) < CHUNK:
            self._many(connection, self._insert, values)
            return
        cursor = connection.connection.cursor()
        with cursor.copy(self._copy) as copy:
            for row in values:
                copy.write_row(row)
        cursor.close()

    def add(self, connection: sa.Connection, amounts: dict[Key, dict[str, int]]) -> None:
        """Let the rows grow; a row that is not there begins at 0."""
        zero = dict.fromkeys(self._names, 0)
        rows = [zero | dict(zip(self._key, key, strict=True)) | grown for key, grown in sorted(amounts.items())]
        self._many(connection, self._add, [self._values(row, self._names) for row in rows])

    def delete(self, connection: sa.Connection, keys: Iterable[Key]) -> None:
        rows = [self._values(dict(zip(self._key, key, strict=True)), self._key) for key in keys]
        self._many(connection, self._delete, rows)

    def _values(self, row: Row, names: Sequence[str]) -> tuple[Any, ...]:
        convert = self._to_sql
        return tuple([to_sql(row[name]) if (to_sql := convert[name]) else row[name] for name in names])

    @staticmethod
    def _many(connection: sa.Connection, statement: str, rows: list[tuple[Any, ...]]) -> None:
        if len(rows) == 1:
            connection.exec_driver_sql(statement, rows[0])
        elif rows:
            connection.exec_driver_sql(statement, rows)


class GenerationWriter:
    """Folds batches into the tables of one generation, in the caller's transaction."""

    def __init__(self, model: ReadModel, schema: str | None, dialect: sa.Dialect) -> None:
        self.model = model
        self._tables = {table: TableWriter(table, schema, dialect) for table in model.tables}

    def write(self, connection: sa.Connection, batch: Sequence[Recorded], *, bulk: bool = False) -> None:
        """`bulk`: rows that are new come so often that they are worth a COPY."""
        streams = _streams_begun_before(batch)
        stored = {table: self._tables[table].load(connection, streams) for table in self.model.records if streams}
        self._flush(connection, self.model.changes(batch, stored), bulk=bulk)

    def _flush(self, connection: sa.Connection, changes: Changes, *, bulk: bool) -> None:
        for table, records in changes.records.items():
            writer = self._tables[table]
            new, changed, gone = records.written()
            writer.delete(connection, gone)
            if bulk:
                writer.put_new(connection, new)
                writer.put(connection, changed)
            else:
                writer.put(connection, new + changed)
        for table, sums in changes.sums.items():
            self._tables[table].add(connection, sums.amounts)


def _streams_begun_before(batch: Sequence[Recorded]) -> list[UUID]:
    """The streams that may have rows: all but those whose first event is in the batch."""
    begun: set[UUID] = set()
    before: dict[UUID, None] = {}
    for _, event in batch:
        if event.originator_version == 1:
            begun.add(event.originator_id)
        elif event.originator_id not in begun:
            before[event.originator_id] = None
    return list(before)

"""How rows get into a generation's tables: a few statements per batch, made once, whatever the batch holds.

The statements are plain SQL. Values go through SQLAlchemy's types, so that queries find them as they were written; on
PostgreSQL the rows of a small batch travel as one JSON value, which costs this process next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from projections.columns import UtcDateTime
from projections.model import Changes, Key, NotFolded, ReadModel, Recorded, Row, Sums
from projections.recent import RecentRows
from projections.sessions import Sql

CHUNK = 500  # rows that are worth a COPY
_AS_JSON = (sa.Uuid, sa.String, sa.Integer, sa.Float, sa.Boolean, sa.Date, UtcDateTime)  # mean the same in JSON

_json = msgspec.json.Encoder().encode


class TableWriter:
    """Writes one table of one generation. `schema`: None on SQLite, where a generation is a file.

    All methods raise the driver's errors.
    """

    def __init__(self, table: sa.Table, schema: str | None, dialect: sa.Dialect) -> None:
        self._postgresql = dialect.name == "postgresql"
        self._columns = list(table.columns)
        self._names = [column.name for column in table.columns]
        self._name_set = frozenset(self._names)
        self._key = [column.name for column in table.primary_key]
        types = {c.name: c.type.dialect_impl(dialect) for c in table.columns}
        self._to_sql = [(n, to) for n, name in enumerate(self._names) if (to := _to_sql(types[name], dialect))]
        self._from_sql = {n: make for n, kind in types.items() if (make := kind.result_processor(dialect, None))}
        self._picked = itemgetter(*self._names) if len(self._names) > 1 else _only(self._names[0])
        self._make_statements(table, schema, dialect)

    def _make_statements(self, table: sa.Table, schema: str | None, dialect: sa.Dialect) -> None:
        named = f'"{schema}".{table.name}' if schema else str(table.name)
        names, marks = ", ".join(self._names), ", ".join("?" * len(self._names))
        values = [name for name in self._names if name not in self._key]
        replaced = ", ".join(f"{name} = excluded.{name}" for name in values)
        added = ", ".join(f"{name} = {table.name}.{name} + excluded.{name}" for name in values)
        conflict = f" ON CONFLICT ({', '.join(self._key)}) DO"
        stream = self._names[0]
        # The names are ours, from the table's definition.
        if self._postgresql:
            for column in self._columns:
                assert isinstance(column.type, _AS_JSON), f"{column} is of a type that is not written as JSON"
            typed = {c.name: f"{c.name} {c.type.compile(dialect)}" for c in self._columns}
            source = f"SELECT {names} FROM json_to_recordset(?::json) AS r({', '.join(typed.values())}) WHERE true"  # noqa: S608
            keys = f"json_to_recordset(?::json) AS r({', '.join(typed[name] for name in self._key)})"
            same = " AND ".join(f"t.{name} = r.{name}" for name in self._key)
            self._delete = f"DELETE FROM {named} AS t USING {keys} WHERE {same}"  # noqa: S608
            self._of_streams = f"SELECT {names} FROM {named} WHERE {stream} = ANY(?)"  # noqa: S608
        else:
            source = f"VALUES ({marks})"
            same = " AND ".join(f"{name} = ?" for name in self._key)
            self._delete = f"DELETE FROM {named} WHERE {same}"  # noqa: S608
            self._of_streams = f"SELECT {names} FROM {named} WHERE {stream} IN (SELECT value FROM json_each(?))"  # noqa: S608
        self._insert = f"INSERT INTO {named} ({names}) {source}"
        self._upsert = f"{self._insert}{conflict} {f'UPDATE SET {replaced}' if values else 'NOTHING'}"
        self._add = f"{self._insert}{conflict} UPDATE SET {added}"
        self._copy = f"COPY {named} ({names}) FROM STDIN"

    def load(self, sql: Sql, stream_ids: Sequence[UUID]) -> list[Row]:
        """The rows of the streams."""
        wanted: Any = list(stream_ids) if self._postgresql else _json([stream_id.hex for stream_id in stream_ids])
        found: list[Row] = []
        for values in sql.rows(self._of_streams, (wanted,)):
            row = dict(zip(self._names, values, strict=True))
            for name, from_sql in self._from_sql.items():
                row[name] = from_sql(row[name])
            found.append(row)
        return found

    def put(self, sql: Sql, rows: Sequence[Row]) -> None:
        """Rows that may be there already."""
        self._rows(sql, self._upsert, rows)

    def put_new(self, sql: Sql, rows: Sequence[Row]) -> None:
        """Many rows that are certainly not there."""
        self._insert_all(sql, map(self._picked, rows), len(rows), bulk=True)

    def append(self, sql: Sql, rows: Sequence[tuple[Any, ...]], *, bulk: bool) -> None:
        """New rows of a table that only grows, each with its values in the order of the columns."""
        self._insert_all(sql, rows, len(rows), bulk=bulk)

    def add(self, sql: Sql, sums: Sums) -> None:
        """Let the rows grow; a row that is not there begins at 0."""
        rows = [dict(zip(self._key, key, strict=True)) | amounts for key, amounts in sorted(sums.items())]
        self._rows(sql, self._add, rows)

    def delete(self, sql: Sql, keys: Sequence[Key]) -> None:
        if not keys:
            return
        rows = [dict(zip(self._key, key, strict=True)) for key in keys]
        if self._postgresql:
            sql.run(self._delete, (_json(rows).decode(),))
        else:
            blank = dict.fromkeys(self._names)
            places = [self._names.index(name) for name in self._key]
            sql.many(self._delete, [[values[n] for n in places] for values in self._values([blank | r for r in rows])])

    def _insert_all(self, sql: Sql, rows: Iterable[Sequence[Any]], number: int, *, bulk: bool) -> None:
        if not self._postgresql:
            sql.many(self._insert, self._converted(rows))
        elif bulk and number >= CHUNK:  # statements that are sent together may not have a COPY among them
            with sql.cursor.copy(self._copy) as copy:
                for values in self._converted(rows):
                    copy.write_row(values)
        elif number:
            self._rows(sql, self._insert, [dict(zip(self._names, row, strict=True)) for row in rows])

    def _rows(self, sql: Sql, statement: str, rows: Sequence[Row]) -> None:
        if not rows:
            return
        for row in rows:
            if row.keys() != self._name_set:
                raise ValueError(f"a row has other columns: {sorted(row.keys() ^ self._name_set)}")
        if self._postgresql:
            sql.run(statement, (_json(rows).decode(),))
        else:
            sql.many(statement, self._values(rows))

    def _values(self, rows: Iterable[Row]) -> list[tuple[Any, ...]]:
        return self._converted(map(self._picked, rows))

    def _converted(self, rows: Iterable[Sequence[Any]]) -> list[tuple[Any, ...]]:
        """As the driver takes them. Column by column: the loops are not Python's then."""
        columns: list[Iterable[Any]] = list(zip(*rows, strict=True))
        for place, to_sql in self._to_sql if columns else ():
            columns[place] = map(to_sql, columns[place])
        return list(zip(*columns, strict=True))


def _to_sql(kind: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Callable[[Any], Any] | None:
    """How values of a type are written; None: as they are."""
    if isinstance(kind, sa.Uuid) and dialect.name == "sqlite":
        return _as_hex  # what the toolkit makes, in half the steps
    return kind.bind_processor(dialect)


def _as_hex(value: UUID | None) -> str | None:
    return None if value is None else value.int.to_bytes(16).hex()


def _only(name: str) -> Callable[[Row], Sequence[Any]]:
    return lambda row: (row[name],)


class GenerationWriter:
    """Folds batches into the tables of one generation, in the caller's transaction. Raises the driver's errors."""

    def __init__(self, model: ReadModel, schema: str | None, dialect: sa.Dialect) -> None:
        self.model = model
        self.recent = RecentRows(model.records)
        self._tables = {table: TableWriter(table, schema, dialect) for table in model.tables}

    def write(self, sql: Sql, batch: Sequence[Recorded], *, bulk: bool = False) -> None:
        """`bulk`: rows that are new come so often that they are worth a COPY, and none is remembered."""
        recent = self.recent
        if recent.records and (unknown := recent.unknown(batch)):
            for table, records in recent.records.items():
                records.loaded(self._tables[table].load(sql, unknown))
        try:
            changes = self.model.changes(batch, recent.records)
        except NotFolded:
            recent.forget()  # rows have changed already
            raise
        self._flush(sql, changes, bulk=bulk)
        if bulk:
            recent.forget()
        else:
            recent.let_go()

    def _flush(self, sql: Sql, changes: Changes, *, bulk: bool) -> None:
        for table, records in changes.records.items():
            writer = self._tables[table]
            new, changed, gone = records.written()
            writer.delete(sql, gone)
            if bulk:
                writer.put_new(sql, new)
                writer.put(sql, changed)
            else:
                writer.put(sql, new + changed)
        for table, sums in changes.sums.items():
            self._tables[table].add(sql, sums)
        for table, rows in changes.appends.items():
            self._tables[table].append(sql, rows, bulk=bulk)

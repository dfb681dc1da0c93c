"""Whether two generations hold the same rows: a digest that does not depend on their order, and the rows that differ.

Each row is hashed in a canonical form, and the hashes are added up (mod 2**128) in buckets by primary key. Equal sums
mean equal rows; where a bucket differs, only its rows have to be looked at again. Memory does not grow with the tables.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import msgspec
import sqlalchemy as sa

from projections.model import Key

BUCKETS = 1024
LOOKED_AT = 8  # buckets that are searched for differing rows
FETCH = 5_000  # rows at a time

_encode = msgspec.json.Encoder(order="deterministic").encode


@dataclass(frozen=True)
class Digest:
    """Of all tables of a generation."""

    rows: int
    buckets: tuple[int, ...]

    @property
    def text(self) -> str:
        """32 hexadecimal digits."""
        return hashlib.blake2b(_encode([f"{bucket:x}" for bucket in self.buckets]), digest_size=16).hexdigest()


@dataclass(frozen=True)
class Difference:
    """One row that is not the same in both generations; None where one of them has none."""

    table: str
    key: Key
    served: dict[str, Any] | None
    rebuilt: dict[str, Any] | None

    @property
    def columns(self) -> dict[str, tuple[Any, Any]]:
        """What differs: served, rebuilt."""
        served, rebuilt = self.served or {}, self.rebuilt or {}
        names = dict.fromkeys([*served, *rebuilt])
        return {name: (served.get(name), rebuilt.get(name)) for name in names if served.get(name) != rebuilt.get(name)}


def digest(connection: sa.Connection, tables: Sequence[sa.Table], schema: str | None) -> Digest:
    """Read all rows once. The connection's transaction should see one moment."""
    buckets = [0] * BUCKETS
    rows = 0
    for table in tables:
        name = "".join(table.name)  # a plain str
        for bucket, row in _scan(connection, table, schema):
            canonical = _encode([name, *row])
            buckets[bucket] += int.from_bytes(hashlib.blake2b(canonical, digest_size=16).digest(), "big")
            rows += 1
    return Digest(rows, tuple(bucket % (1 << 128) for bucket in buckets))


def differences(
    served: tuple[sa.Connection, str | None, Digest],
    rebuilt: tuple[sa.Connection, str | None, Digest],
    tables: Sequence[sa.Table],
    limit: int,
) -> list[Difference]:
    """Some of the rows that differ, at most `limit`, in the order of their tables and keys."""
    pairs = zip(served[2].buckets, rebuilt[2].buckets, strict=True)
    wanted = {bucket for bucket, (a, b) in enumerate(pairs) if a != b}
    wanted = set(sorted(wanted)[:LOOKED_AT])
    found: list[Difference] = []
    for table in tables:
        ours = _rows_of(served[0], table, served[1], wanted)
        theirs = _rows_of(rebuilt[0], table, rebuilt[1], wanted)
        for key in sorted(ours.keys() | theirs.keys(), key=repr):
            if ours.get(key) != theirs.get(key):
                found.append(Difference(table.name, key, ours.get(key), theirs.get(key)))
    return found[:limit]


def _rows_of(
    connection: sa.Connection, table: sa.Table, schema: str | None, buckets: set[int]
) -> dict[Key, dict[str, Any]]:
    names = [column.name for column in table.columns]
    places = _key_places(table)
    return {
        tuple(row[place] for place in places): dict(zip(names, row, strict=True))
        for bucket, row in _scan(connection, table, schema)
        if bucket in buckets
    }


def _scan(connection: sa.Connection, table: sa.Table, schema: str | None) -> Iterator[tuple[int, Sequence[Any]]]:
    """All rows with their buckets, as the driver gives them: both generations lie in databases of one kind."""
    names = ", ".join(column.name for column in table.columns)
    named = f'"{schema}".{table.name}' if schema else table.name
    places = _key_places(table)
    options = {"stream_results": True, "max_row_buffer": FETCH}
    result = connection.exec_driver_sql(f"SELECT {names} FROM {named}", execution_options=options)  # noqa: S608
    for rows in result.partitions(FETCH):
        for row in rows:
            yield crc32(_encode([row[place] for place in places])) % BUCKETS, row


def _key_places(table: sa.Table) -> list[int]:
    names = [column.name for column in table.columns]
    return [names.index(column.name) for column in table.primary_key]

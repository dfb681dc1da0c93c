"""The search index of personal data: which orders a keyed digest of an e-mail address or a property leads to.

It lies beside the keys, not beside the log: it is made from opened personal data, can be made again at any time, and an
erasure removes its rows together with the key. An entry is written in the transaction that looks whether the client's
key still lives, so none outlives an erasure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import BigInteger, Column, Connection, Engine, Integer, Table, Text, Uuid, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from application.adapters.key_store import SCHEMA, client_keys, metadata, placed
from application.adapters.scrubbing import keep_out_of_statistics, scrub, without_statistics
from application.adapters.sql import Busy, SqlThreads, migrating
from application.ports.erasure import IndexEntry, PersonIndexUnavailable

T = TypeVar("T")

SCRUB_TIMEOUT_S = 1800

entries = Table(
    "person_index",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("order_id", Uuid, primary_key=True),
    Column("client_id", BigInteger, nullable=False, index=True),
    Column("position", BigInteger, nullable=False),
)

without_statistics(entries, "digest")

# Plain SQL: a toolkit's work for each row would be most of what a row costs.
_INSERT = "INSERT INTO person_index (digest, order_id, client_id, position) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
_INSERT_JSON = (
    f"INSERT INTO {SCHEMA}.person_index (digest, order_id, client_id, position)"  # noqa: S608  # our own name
    " SELECT digest, order_id, client_id, position FROM json_to_recordset(%s::json)"
    " AS r(digest text, order_id uuid, client_id bigint, position bigint) ON CONFLICT DO NOTHING"
)

state = Table(
    "person_index_state",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # one row: 1
    Column("position", BigInteger, nullable=False),
)


def create_tables(engine: Engine) -> None:
    """Create what is missing beside the tables of the key store, which must be there."""
    with migrating(placed(engine)) as connection:
        metadata.create_all(connection, tables=[entries, state])
        keep_out_of_statistics(connection, [entries])
        connection.execute(_insert(connection, state).values(id=1, position=0).on_conflict_do_nothing())


class SqlPersonIndex:
    """The PersonIndex and the ErasableIndex of ports/erasure.py in SQLite or PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sql = SqlThreads(placed(engine), "person-index", threads=1)

    async def position(self) -> int:
        return await self._read(lambda connection: int(connection.execute(select(state.c.position)).scalar_one()))

    async def add(self, entries_: Sequence[IndexEntry], after: int, upto: int) -> bool:
        return await self._write(lambda connection: _add(connection, entries_, after, upto))

    async def find(self, digests: Sequence[str], limit: int) -> list[UUID]:
        newest = func.max(entries.c.position)
        query = select(entries.c.order_id).where(entries.c.digest.in_(digests))
        query = query.group_by(entries.c.order_id).order_by(newest.desc()).limit(limit)
        return await self._read(lambda connection: list(connection.scalars(query)))

    async def clear(self) -> None:
        def work(connection: Connection) -> None:
            connection.execute(update(state).values(position=0))
            connection.execute(delete(entries))

        await self._write(work)

    async def forget(self, client_id: int) -> int:
        gone = delete(entries).where(entries.c.client_id == client_id)
        return await self._write(lambda connection: connection.execute(gone).rowcount)

    async def scrub(self) -> None:
        await self._sql.run_blocking(lambda: scrub(self._engine, (client_keys, entries)), timeout_s=SCRUB_TIMEOUT_S)

    async def close(self) -> None:
        await self._sql.close()

    async def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            return await self._sql.statement(work)
        except (SQLAlchemyError, TimeoutError, Busy) as error:
            raise PersonIndexUnavailable(type(error).__name__) from error

    async def _write(self, work: Callable[[Connection], T]) -> T:
        try:
            return await self._sql.transaction(work)
        except (SQLAlchemyError, TimeoutError, Busy) as error:
            raise PersonIndexUnavailable(type(error).__name__) from error


def _add(connection: Connection, wanted: Sequence[IndexEntry], after: int, upto: int) -> bool:
    moved = update(state).where(state.c.position == after).values(position=upto)
    if connection.execute(moved).rowcount == 0:
        return False
    # The lock holds an erasure back until these rows are committed, and so can be removed by it.
    alive = select(client_keys.c.client_id).where(
        client_keys.c.client_id.in_({entry.client_id for entry in wanted}), client_keys.c.wrapped_key.is_not(None)
    )
    living = set(connection.scalars(alive.with_for_update(read=True)))
    _insert_entries(connection, [entry for entry in wanted if entry.client_id in living])
    return True


def _insert_entries(connection: Connection, new: list[IndexEntry]) -> None:
    """In the order of the digests, so that the index is gone through once."""
    new.sort(key=attrgetter("digest"))
    if not new:
        return
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_INSERT_JSON, (msgspec.json.encode(new).decode(),))
    else:
        rows = [(entry.digest, entry.order_id.hex, entry.client_id, entry.position) for entry in new]
        connection.exec_driver_sql(_INSERT, rows)


def _insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)

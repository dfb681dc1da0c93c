"""SqlKeyStore: one random key per client for personal data, in tables of its own, so that it can be a store of its own.

Keys are stored wrapped (AES key wrap, RFC 3394), each under a key derived from the service's secret key (HKDF-SHA256,
RFC 5869), so that neither the tables nor a backup of them opens anything.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from time import monotonic
from typing import TypeVar
from uuid import uuid4

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    LargeBinary,
    MetaData,
    Table,
    Text,
    func,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateSchema

from application.adapters.key_cache import KeyCache
from application.adapters.row_reader import Statement, row_reader
from application.adapters.scrubbing import keep_out_of_statistics, without_statistics
from application.adapters.sql import Busy, SqlThreads, UtcDateTime, migrating
from application.ports import KeyDestroyed

T = TypeVar("T")

SCHEMA = "orders_keys"  # in PostgreSQL, so that it can have rights and backups of its own
KEY_BYTES = 32

metadata = MetaData(schema=SCHEMA)

client_keys = Table(
    "client_keys",
    metadata,
    Column("client_id", BigInteger, primary_key=True, autoincrement=False),
    Column("key_id", Text, nullable=False, unique=True),
    Column("wrapped_key", LargeBinary),  # null once it was destroyed: the row stays, so that no new key is made
    Column("created_at", UtcDateTime, nullable=False),
    Column("destroyed_at", UtcDateTime),
)


without_statistics(client_keys, "wrapped_key")

_KEYS = {
    dialect: Statement(f"SELECT key_id, wrapped_key FROM {table} WHERE client_id = $1", ("bigint",))  # noqa: S608
    for dialect, table in (("postgresql", client_keys.fullname), ("sqlite", client_keys.name))
}


class KeyStoreUnavailable(Exception):
    """The keys cannot be read right now, or not with this secret key."""


def create_tables(engine: Engine) -> None:
    """Create what is missing; safe to run again, and by several processes at once."""
    with migrating(placed(engine)) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(CreateSchema(SCHEMA, if_not_exists=True))
        metadata.create_all(connection)
        keep_out_of_statistics(connection, [client_keys])


def placed(engine: Engine) -> Engine:
    """SQLite has no schemas; there the store is best a file of its own."""
    return engine.execution_options(schema_translate_map={SCHEMA: None}) if engine.dialect.name == "sqlite" else engine


class SqlKeyStore:
    """The KeyStore of ports.py in SQLite or PostgreSQL. Every method raises KeyStoreUnavailable if it cannot."""

    def __init__(self, engine: Engine, secret_key: bytes, *, clock: Callable[[], float] = monotonic) -> None:
        self._sql = SqlThreads(placed(engine), "key-store", threads=2)
        self._secret_key = secret_key
        self._cache = KeyCache(clock)
        self._rows = row_reader(engine, KeyStoreUnavailable)
        self._query = _KEYS[engine.dialect.name]

    async def key(self, client_id: int) -> tuple[str, bytes]:
        """The client's key id and key, made on first use. Raises KeyDestroyed after an erasure."""
        if cached := self._cache.by_client(client_id):
            return cached
        asked_in = self._cache.generation
        row = await self._read(client_id)
        if row is None:
            row = await self._call(self._sql.statement(lambda connection: self._stored(connection, client_id)))
        key_id, wrapped = row
        if wrapped is None:
            raise KeyDestroyed(f"the key of client {client_id} was destroyed")
        key = self._unwrapped(key_id, wrapped)
        self._cache.put(client_id, key_id, key, asked_in)
        return key_id, key

    async def find(self, key_id: str) -> bytes | None:
        """The key of that id; None if it was destroyed, or never was."""
        if cached := self._cache.by_key_id(key_id):
            return cached
        asked_in = self._cache.generation
        query = select(client_keys.c.client_id, client_keys.c.wrapped_key).where(client_keys.c.key_id == key_id)
        row = await self._call(self._sql.statement(lambda connection: connection.execute(query).first()))
        if row is None or row.wrapped_key is None:
            return None
        key = self._unwrapped(key_id, row.wrapped_key)
        self._cache.put(row.client_id, key_id, key, asked_in)
        return key

    async def destroy(self, client_id: int) -> bool:
        """Erase the client's key for good; False where there never was one. May come twice.

        This process forgets it at once, others within a minute (key_cache.py). What the database's logs and backups
        still hold of it is wrapped with the secret key.
        """
        erased_at = func.coalesce(client_keys.c.destroyed_at, literal(datetime.now(UTC), UtcDateTime))
        erase = update(client_keys).where(client_keys.c.client_id == client_id)
        erase = erase.values(wrapped_key=None, destroyed_at=erased_at)
        erased = await self._call(self._sql.statement(lambda connection: connection.execute(erase).rowcount))
        self._cache.clear()
        if erased:
            with suppress(KeyStoreUnavailable):  # it is erased already; the database tidies up later by itself
                await self._call(self._sql.statement(_scrub))
        return erased > 0

    async def living(self, client_ids: Sequence[int]) -> list[int]:
        """Those of the clients that have a key."""
        alive = select(client_keys.c.client_id).where(client_keys.c.wrapped_key.is_not(None))
        alive = alive.where(client_keys.c.client_id.in_(client_ids)).order_by(client_keys.c.client_id)
        return await self._call(self._sql.statement(lambda connection: list(connection.scalars(alive))))

    async def opens_any(self) -> bool:
        """Open one key with the secret key; False where there is none. Raises KeyStoreUnavailable, also if it fails."""
        query = select(client_keys.c.key_id, client_keys.c.wrapped_key).where(client_keys.c.wrapped_key.is_not(None))
        row = await self._call(self._sql.statement(lambda connection: connection.execute(query.limit(1)).first()))
        if row is None:
            return False
        self._unwrapped(row.key_id, row.wrapped_key)
        return True

    async def close(self) -> None:
        """Close the threads and the engine."""
        self._cache.clear()
        await self._rows.close()
        await self._sql.close()

    async def _read(self, client_id: int) -> tuple[str, bytes | None] | None:
        """The client's row, without the hop to a thread, which takes longer than the read itself.

        None where there is no row yet, or it cannot be read at once: a thread makes it, and has more time.
        """
        with suppress(KeyStoreUnavailable):
            for key_id, wrapped in await self._rows.rows(self._query, client_id):
                return key_id, wrapped
        return None

    def _stored(self, connection: Connection, client_id: int) -> tuple[str, bytes | None]:
        """The client's row; where there is none, this or another process makes it, and all of them read that one."""
        query = select(client_keys.c.key_id, client_keys.c.wrapped_key).where(client_keys.c.client_id == client_id)
        row = connection.execute(query).first()
        if row is None:
            insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
            key_id = uuid4().hex
            fresh = {
                "client_id": client_id,
                "key_id": key_id,
                "wrapped_key": aes_key_wrap(self._wrapping_key(key_id), os.urandom(KEY_BYTES)),
                "created_at": datetime.now(UTC),
            }
            connection.execute(insert(client_keys).values(fresh).on_conflict_do_nothing())
            row = connection.execute(query).one()
        return row.key_id, row.wrapped_key

    def _unwrapped(self, key_id: str, wrapped: bytes) -> bytes:
        try:
            return aes_key_unwrap(self._wrapping_key(key_id), wrapped)
        except InvalidUnwrap as error:
            raise KeyStoreUnavailable(f"key {key_id} was wrapped with another secret key") from error

    def _wrapping_key(self, key_id: str) -> bytes:
        info = b"orders client key v1 " + key_id.encode()
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(self._secret_key)

    @staticmethod
    async def _call(call: Awaitable[T]) -> T:
        try:
            return await call
        except (SQLAlchemyError, TimeoutError, Busy) as error:
            raise KeyStoreUnavailable(type(error).__name__) from error


def _scrub(connection: Connection) -> None:
    """Take the erased bytes out of the database's own copies, as far as it lets us."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"VACUUM {SCHEMA}.{client_keys.name}"))
    else:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))

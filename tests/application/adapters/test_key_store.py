"""Keys for personal data: one per client, shared by the processes, wrapped at rest, gone when destroyed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap
from sqlalchemy import select, text

from application.adapters import key_cache
from application.adapters.key_store import KeyStoreUnavailable, SqlKeyStore, _scrub, client_keys, create_tables
from application.adapters.row_reader import SqliteRows
from application.adapters.sql import make_engine
from application.ports import KeyDestroyed
from tests.helpers import run

T = TypeVar("T")

SECRET = b"a secret key of tests"


class Time:
    """A clock that stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def with_stores(
    url: str,
    use: Callable[[SqlKeyStore, SqlKeyStore, Time], Awaitable[T]],
    secrets: tuple[bytes, bytes] = (SECRET, SECRET),
) -> T:
    """Run `use` with two stores on one database, as two processes have them, and the clock of their caches."""

    async def connected() -> T:
        time, engines = Time(), [make_engine(url), make_engine(url)]
        create_tables(engines[0])
        create_tables(engines[1])
        stores = [SqlKeyStore(engine, secret, clock=time) for engine, secret in zip(engines, secrets, strict=True)]
        try:
            return await use(stores[0], stores[1], time)
        finally:
            for store in stores:
                await store.close()

    return run(connected())


async def stored_wrapped_key(store: SqlKeyStore) -> bytes | None:
    query = select(client_keys.c.wrapped_key)
    return await store._sql.statement(lambda connection: connection.scalar(query))


def test_a_client_has_one_random_key_of_256_bits_in_every_process(database_url: str) -> None:
    async def use(here: SqlKeyStore, there: SqlKeyStore, _: Time) -> None:
        key_id, key = await here.key(11)
        assert len(key) == 32
        assert await here.key(11) == (key_id, key)
        assert await there.key(11) == (key_id, key)
        assert await there.find(key_id) == key
        assert (await here.key(12))[1] != key

    with_stores(database_url, use)


def test_processes_that_make_the_first_key_at_once_agree_on_it(database_url: str) -> None:
    async def use(here: SqlKeyStore, there: SqlKeyStore, _: Time) -> None:
        keys = await asyncio.gather(*(store.key(client) for client in range(8) for store in (here, there)))
        assert len(set(keys)) == 8

    with_stores(database_url, use)


def test_a_destroyed_key_is_gone_for_good_and_no_new_one_is_made(database_url: str) -> None:
    async def use(here: SqlKeyStore, there: SqlKeyStore, _: Time) -> None:
        key_id, _key = await here.key(11)
        assert await here.destroy(11)
        assert await here.find(key_id) is None
        assert await there.find(key_id) is None
        for store in (here, there):
            with pytest.raises(KeyDestroyed):
                await store.key(11)
        assert await stored_wrapped_key(here) is None

    with_stores(database_url, use)


def test_destroying_twice_is_destroying_once_and_nothing_is_false(database_url: str) -> None:
    async def use(here: SqlKeyStore, there: SqlKeyStore, _: Time) -> None:
        assert not await here.destroy(11)
        await here.key(11)
        destroyed_at = select(client_keys.c.destroyed_at)
        assert await here.destroy(11)
        first = await here._sql.statement(lambda connection: connection.scalar(destroyed_at))
        assert await there.destroy(11)
        assert await here._sql.statement(lambda connection: connection.scalar(destroyed_at)) == first is not None

    with_stores(database_url, use)


def test_another_process_forgets_a_destroyed_key_within_a_minute(sqlite_url: str) -> None:
    async def use(here: SqlKeyStore, there: SqlKeyStore, time: Time) -> None:
        key_id, key = await there.key(11)
        await here.destroy(11)
        time.now = 59.9
        assert await there.find(key_id) == key
        time.now = 60.0
        assert await there.find(key_id) is None
        with pytest.raises(KeyDestroyed):
            await there.key(11)

    with_stores(sqlite_url, use)


def test_a_read_under_way_does_not_bring_a_destroyed_key_back(sqlite_url: str) -> None:
    async def use(here: SqlKeyStore, there: SqlKeyStore, _: Time) -> None:
        await there.key(11)
        for _attempt in range(10):
            reading = asyncio.ensure_future(here.key(11))
            await asyncio.sleep(0)
            await here.destroy(11)
            await asyncio.wait([reading])
            if not reading.exception():
                assert not here._cache._keys

    with_stores(sqlite_url, use)


def test_the_cache_is_bounded(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_cache, "CACHE_MAX_CLIENTS", 3)

    async def use(here: SqlKeyStore, there: SqlKeyStore, _: Time) -> None:
        keys = [await here.key(client) for client in range(5)]
        assert len(here._cache._keys) == len(here._cache._clients) == 3
        assert [await here.key(client) for client in range(5)] == keys

    with_stores(sqlite_url, use)


def test_keys_are_stored_wrapped_and_each_under_a_key_of_its_own(database_url: str) -> None:
    async def use(here: SqlKeyStore, there: SqlKeyStore, _: Time) -> None:
        key_id, key = await here.key(11)
        wrapped = await stored_wrapped_key(here)
        assert wrapped is not None
        assert len(wrapped) == 40
        assert key not in wrapped
        assert aes_key_unwrap(here._wrapping_key(key_id), wrapped) == key
        with pytest.raises(InvalidUnwrap):
            aes_key_unwrap(here._wrapping_key("another id"), wrapped)

    with_stores(database_url, use)


def test_another_secret_key_opens_nothing(database_url: str) -> None:
    async def use(here: SqlKeyStore, there: SqlKeyStore, _: Time) -> None:
        key_id, _key = await here.key(11)
        with pytest.raises(KeyStoreUnavailable):
            await there.key(11)
        with pytest.raises(KeyStoreUnavailable):
            await there.find(key_id)

    with_stores(database_url, use, (SECRET, b"another secret of tests"))


def test_in_sqlite_no_byte_of_a_destroyed_key_is_left_in_the_files(tmp_path: Path) -> None:
    def on_disk(wrapped: bytes) -> bool:
        return any(wrapped in file.read_bytes() for file in tmp_path.iterdir())

    async def use(here: SqlKeyStore, there: SqlKeyStore, _: Time) -> None:
        await here.key(11)
        wrapped = await stored_wrapped_key(here)
        assert wrapped is not None
        assert on_disk(wrapped)
        await here.key(12)
        await here.destroy(11)
        assert not on_disk(wrapped)

    with_stores(f"sqlite:///{tmp_path}/keys.db", use)


def test_the_database_lets_the_store_tidy_up_after_an_erasure(database_url: str) -> None:
    async def use(here: SqlKeyStore, there: SqlKeyStore, _: Time) -> None:
        await here.key(11)
        await here.destroy(11)
        await here._sql.statement(_scrub)

    with_stores(database_url, use)


def test_in_postgresql_the_keys_have_a_schema_of_their_own(postgresql_url: str) -> None:
    async def use(here: SqlKeyStore, there: SqlKeyStore, _: Time) -> None:
        query = text("SELECT schemaname FROM pg_tables WHERE tablename = 'client_keys'")
        assert await here._sql.statement(lambda connection: connection.scalars(query).all()) == ["orders_keys"]

    with_stores(postgresql_url, use)


def test_a_store_without_tables_says_that_it_is_unavailable(database_url: str) -> None:
    async def use() -> None:
        store = SqlKeyStore(make_engine(database_url), SECRET)
        for call in (store.key(1), store.find("x"), store.destroy(1)):
            with pytest.raises(KeyStoreUnavailable):
                await call
        await store.close()

    run(use())


def test_a_key_that_is_stored_is_read_from_the_file_without_a_thread(sqlite_url: str) -> None:
    async def use(here: SqlKeyStore, there: SqlKeyStore, time: Time) -> None:
        made = await here.key(11)
        reading = there.key(11)
        with pytest.raises(StopIteration) as read:
            reading.send(None)
        assert read.value.value == made

    with_stores(sqlite_url, use)


def test_a_file_that_cannot_be_read_at_once_is_read_by_a_thread(sqlite_url: str, tmp_path: Path) -> None:
    async def use(here: SqlKeyStore, there: SqlKeyStore, time: Time) -> None:
        made = await here.key(11)
        there._rows = SqliteRows(tmp_path / "another", KeyStoreUnavailable)
        assert await there.key(11) == made

    with_stores(sqlite_url, use)

"""Engines with limits on every wait, and the threads that run SQL for the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from application.adapters.sql import Busy, SqlThreads, make_engine
from tests.helpers import run


@contextmanager
def engine_for(url: str) -> Iterator[Engine]:
    engine = make_engine(url)
    yield engine
    engine.dispose()


def value(engine: Engine, query: str) -> Any:
    with engine.connect() as connection:
        return connection.exec_driver_sql(query).scalar()


def test_sqlite_is_durable_strict_and_patient_and_its_folder_is_made(tmp_path: Path) -> None:
    with engine_for(f"sqlite:///{tmp_path}/new/folder/orders.db") as engine:
        assert value(engine, "PRAGMA journal_mode") == "wal"
        assert value(engine, "PRAGMA synchronous") == 2
        assert value(engine, "PRAGMA busy_timeout") == 5000
        assert value(engine, "PRAGMA foreign_keys") == 1
        assert value(engine, "PRAGMA secure_delete") == 1


def test_postgresql_has_a_limit_on_every_wait(postgresql_url: str) -> None:
    with engine_for(postgresql_url) as engine:
        assert engine.dialect.driver == "psycopg"
        for name in ("statement_timeout", "lock_timeout"):
            assert value(engine, f"SHOW {name}") == "5s"
        assert value(engine, "SHOW idle_in_transaction_session_timeout") == "10s"


def test_options_of_the_url_are_kept(postgresql_url: str) -> None:
    separator = "&" if "?" in postgresql_url else "?"
    with engine_for(f"{postgresql_url}{separator}options=-csearch_path%3Dother") as engine:
        assert value(engine, "SHOW search_path") == "other"
        assert value(engine, "SHOW statement_timeout") == "5s"


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://root:hidden@localhost/x"])
def test_any_other_database_is_refused_without_showing_its_url(url: str) -> None:
    with pytest.raises(ValueError) as refused:
        make_engine(url)
    assert "hidden" not in str(refused.value)


def test_an_error_does_not_show_the_values_of_a_statement(database_url: str) -> None:
    with engine_for(database_url) as engine, engine.connect() as connection:
        with pytest.raises(Exception) as failed:
            connection.execute(text("SELECT * FROM nowhere WHERE token = :token"), {"token": "hidden-token"})
        assert "hidden-token" not in str(failed.value)


def test_a_transaction_that_fails_leaves_nothing(database_url: str) -> None:
    def work(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE facts (n integer)"))
        raise KeyError("stop")

    async def use() -> None:
        threads = SqlThreads(make_engine(database_url), "test")
        with pytest.raises(KeyError):
            await threads.transaction(work)
        with pytest.raises(Exception, match="facts"):
            await threads.statement(lambda connection: connection.execute(text("SELECT * FROM facts")))
        await threads.close()

    run(use())


def test_a_call_on_a_connection_that_died_is_made_once_more(postgresql_url: str) -> None:
    async def use() -> None:
        threads = SqlThreads(make_engine(postgresql_url), "test", threads=1)
        other = make_engine(postgresql_url)
        pid = await threads.statement(lambda connection: connection.scalar(text("SELECT pg_backend_pid()")))
        with other.connect() as connection:
            connection.execute(text("SELECT pg_terminate_backend(:pid, 2000)"), {"pid": pid})
        assert await threads.statement(lambda connection: connection.scalar(text("SELECT 1"))) == 1
        other.dispose()
        await threads.close()

    run(use())


def test_a_database_that_is_not_there_is_an_error_soon() -> None:
    async def use() -> None:
        threads = SqlThreads(make_engine("postgresql://nobody@127.0.0.1:1/none"), "test")
        with pytest.raises(OperationalError):
            await threads.statement(lambda connection: connection.scalar(text("SELECT 1")))
        await threads.close()

    run(use())


def test_calls_wait_for_a_thread_up_to_a_limit_and_not_for_ever(sqlite_url: str) -> None:
    async def use() -> None:
        threads = SqlThreads(make_engine(sqlite_url), "test", threads=1, waiting=2)
        go = threading.Event()
        first = asyncio.ensure_future(threads.run_blocking(go.wait))
        second = asyncio.ensure_future(threads.run_blocking(go.wait, timeout_s=0.01))
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await threads.run_blocking(go.wait)
        with pytest.raises(TimeoutError):
            await second
        third = asyncio.ensure_future(threads.run_blocking(lambda: 3))
        go.set()
        assert await first
        assert await third == 3
        await threads.close()

    run(use())

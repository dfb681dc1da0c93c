"""Locks that a process holds for as long as it lives: database or operating system let go of them when it dies.

On PostgreSQL an advisory lock of a session, on SQLite the write lock of a file that holds nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic, sleep

from projections.sessions import Session
from projections.storage import Storage

PATIENCE_S = 0.5  # the server needs a moment to see that a process has gone

# A machine that vanishes without a word is noticed within about ten seconds. Ignored on Unix sockets.
_KEEPALIVE = "SET tcp_keepalives_idle = 4; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3"


class LockHeld(Exception):
    """A living process holds the lock."""


@contextmanager
def process_lock(storage: Storage, name: str) -> Iterator[None]:
    """Hold the lock during the block. Raises LockHeld at once where another process, or another block, has it."""
    with _advisory_lock(storage, name) if storage.is_postgresql else _file_lock(storage.lock_file(name)):
        yield


@contextmanager
def _advisory_lock(storage: Storage, name: str) -> Iterator[None]:
    session = Session(storage.control)
    key = "(hashtext('projections'), hashtext(?))"
    try:
        for setting in _KEEPALIVE.split("; "):
            session.run(setting)
        deadline_s = monotonic() + PATIENCE_S
        while session.rows(f"SELECT pg_try_advisory_lock{key}", (name,)) != [(True,)]:
            if monotonic() > deadline_s:
                raise LockHeld(name)
            sleep(PATIENCE_S / 20)
        yield
        session.rows(f"SELECT pg_advisory_unlock{key}", (name,))
    finally:
        session.close()


@contextmanager
def _file_lock(file: Path) -> Iterator[None]:
    with closing(sqlite3.connect(file, timeout=0, isolation_level=None, check_same_thread=False)) as connection:
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            raise LockHeld(file.name) from error
        yield

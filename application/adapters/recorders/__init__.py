"""The recorders: one Protocol (`application.event_log.Recorder`), three databases.

Start at `memory.py`, which states the semantics in the fewest lines. Every writer of a database must go through its
recorder: the promises on positions rest on that.
"""

from __future__ import annotations

from pathlib import Path

from application.adapters.recorders.memory import MemoryRecorder
from application.adapters.recorders.postgresql import PostgresRecorder
from application.adapters.recorders.sqlite import SqliteRecorder
from application.event_log import Recorder

__all__ = ["MemoryRecorder", "PostgresRecorder", "SqliteRecorder", "open_recorder", "sqlite_path"]

SQLITE = "sqlite:///"


def open_recorder(url: str) -> Recorder:
    """The recorder of a migrated database: `sqlite:///relative/file.db`, `sqlite:////absolute/file.db`, `postgresql://...`.

    Raises StoreUnavailable where a SQLite file cannot be opened, ValueError for another kind of URL.
    """
    if is_postgresql(url):
        return PostgresRecorder(url)
    return SqliteRecorder(sqlite_path(url))


def is_postgresql(url: str) -> bool:
    return url.startswith(("postgresql://", "postgres://"))


def sqlite_path(url: str) -> Path:
    """The file that a SQLite URL names. Raises ValueError, which names no URL: it may hold a password."""
    if not url.startswith(SQLITE) or url == SQLITE:
        raise ValueError("a database URL starts with sqlite:/// or postgresql://")
    return Path(url.removeprefix(SQLITE))

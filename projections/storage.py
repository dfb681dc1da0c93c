"""Where generations lie: on PostgreSQL a schema each in the one database, on SQLite a file each beside the control's.

So a rebuild never stands in the way of an order or of a reader, and dropping a generation is one statement or one file.
Beside the rows lies the position that they have been folded up to; both change in one transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import sqlalchemy as sa

from projections.columns import UtcDateTime
from projections.model import GENERATION, ReadModel

bookkeeping = sa.MetaData()

positions = sa.Table(
    "projection_positions",
    bookkeeping,
    sa.Column("projection", sa.String(40), primary_key=True),
    sa.Column("generation", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("position", sa.BigInteger, nullable=False),
)

# Events of a stream from the first one on that could not be folded, in order.
dead_letters = sa.Table(
    "projection_dead_letters",
    bookkeeping,
    sa.Column("projection", sa.String(40), primary_key=True),
    sa.Column("generation", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("stream_id", sa.Uuid, nullable=False),
    sa.Column("topic", sa.String(255), nullable=False),
    sa.Column("error", sa.String(500)),  # null: only waits for the ones before it
    sa.Column("set_aside_at", UtcDateTime, nullable=False),
)


class Place(NamedTuple):
    """One generation of one projection."""

    projection: str
    number: int

    @property
    def name(self) -> str:
        return f"{self.projection}_{self.number}"


class Storage:
    """All generations of one product. `open_engine` makes an engine for a database URL."""

    def __init__(self, control: sa.Engine, open_engine: Callable[[sa.URL], sa.Engine]) -> None:
        self.control = control
        self.is_postgresql = control.dialect.name == "postgresql"
        self._open_engine = open_engine
        self._files: dict[Place, sa.Engine] = {}
        self._opening = Lock()

    def schema(self, place: Place) -> str | None:
        return f"view_{place.name}" if self.is_postgresql else None

    def engine(self, place: Place) -> sa.Engine:
        """The database that holds the generation. Number 0 is what lies in the control database for good."""
        if self.is_postgresql or place.number == 0:
            return self.control
        with self._opening:
            if place not in self._files:
                url = self.control.url.set(database=str(self._file(place)))
                self._files[place] = self._open_engine(url)
            return self._files[place]

    def by_engine(self, places: Iterable[Place]) -> list[tuple[sa.Engine, list[Place]]]:
        """Which generations share a database, and so a transaction."""
        shared: defaultdict[sa.Engine, list[Place]] = defaultdict(list)
        for place in places:
            shared[self.engine(place)].append(place)
        return list(shared.items())

    def reader(self, place: Place) -> sa.Engine:
        """For queries: what a transaction of it sees is one moment of the generation."""
        options = {"schema_translate_map": {GENERATION: self.schema(place)}}
        engine = self.engine(place).execution_options(**options)
        return engine.execution_options(isolation_level="REPEATABLE READ") if self.is_postgresql else engine

    def writer(self, place: Place) -> sa.Engine:
        """For changes: on SQLite with the write lock from the start."""
        return self.engine(place).execution_options(immediate=True)

    # --- their life ---------------------------------------------------------------------------------------------------

    def create_bookkeeping(self, engine: sa.Engine) -> None:
        with engine.execution_options(immediate=True).begin() as connection:
            self.one_at_a_time(connection)
            bookkeeping.create_all(connection)

    def one_at_a_time(self, connection: sa.Connection) -> None:
        """Processes that make tables do it one after the other, also where CREATE IF NOT EXISTS would collide."""
        if self.is_postgresql:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('projections.tables'))"))

    def create(self, place: Place, model: ReadModel, *, indexes: bool) -> None:
        """Make an empty generation at position 0. `indexes`: also those that only queries need."""
        with self._ddl(place).begin() as connection:
            if schema := self.schema(place):
                self.one_at_a_time(connection)
                connection.execute(sa.schema.CreateSchema(schema, if_not_exists=True))
            else:
                bookkeeping.create_all(connection)
            for table in model.tables:
                connection.execute(sa.schema.CreateTable(table, if_not_exists=True))
            begin_at_0(connection, place)
            if indexes:
                _create_indexes(connection, model)

    def create_indexes(self, place: Place, model: ReadModel) -> None:
        """Those that are missing. Made after a bulk load, they cost a fraction."""
        with self._ddl(place).begin() as connection:
            if self.is_postgresql:
                connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
            _create_indexes(connection, model)

    def drop(self, place: Place) -> None:
        """Remove the generation with all that lies beside it, whatever is left of it."""
        if self.is_postgresql:
            with self._ddl(place).begin() as connection:
                connection.execute(sa.schema.DropSchema(str(self.schema(place)), cascade=True, if_exists=True))
                for table in (positions, dead_letters):
                    connection.execute(table.delete().where(*is_of(table, place)))
            return
        with self._opening:
            engine = self._files.pop(place, None)
        if engine is not None:
            engine.dispose()
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self._file(place)}{suffix}").unlink(missing_ok=True)

    def forget(self, kept: Iterable[Place]) -> None:
        """Let go of the files of all other generations; on SQLite somebody may have removed them."""
        keep = set(kept)
        with self._opening:
            for place in [place for place in self._files if place not in keep]:
                self._files.pop(place).dispose()

    def close(self) -> None:
        self.forget(())
        self.control.dispose()

    def _ddl(self, place: Place) -> sa.Engine:
        options = {"schema_translate_map": {GENERATION: self.schema(place)}}
        return self.writer(place).execution_options(**options)

    def lock_file(self, name: str) -> Path:
        """SQLite only: an empty file beside the generations, for a lock."""
        control = Path(str(self.control.url.database))
        return control.with_name(f"{control.stem}-{name}.lock")

    def _file(self, place: Place) -> Path:
        control = Path(str(self.control.url.database))
        return control.with_name(f"{control.stem}-{place.projection}-{place.number}{control.suffix}")


def is_of(table: sa.Table, place: Place) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    """The rows of `positions` or `dead_letters` that belong to the generation."""
    return (table.c.projection == place.projection, table.c.generation == place.number)


def read_position(connection: sa.Connection, place: Place) -> int:
    """How far the generation has followed the log. Raises NoResultFound where there is no such generation."""
    return int(connection.execute(sa.select(positions.c.position).where(*is_of(positions, place))).scalar_one())


def _create_indexes(connection: sa.Connection, model: ReadModel) -> None:
    for table in model.tables:
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            connection.execute(sa.schema.CreateIndex(index, if_not_exists=True))


def begin_at_0(connection: sa.Connection, place: Place) -> None:
    """Give the generation a position, if it has none."""
    connection.execute(
        sa.text(
            "INSERT INTO projection_positions (projection, generation, position) VALUES (:projection, :number, 0)"
            " ON CONFLICT DO NOTHING"
        ),
        {"projection": place.projection, "number": place.number},
    )

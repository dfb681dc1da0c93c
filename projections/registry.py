"""The control database: which generation of each projection is served, what came before, and what happened to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from projections.columns import UtcDateTime
from projections.model import ReadModel
from projections.storage import Place, Storage, begin_at_0

control = sa.MetaData()

projections = sa.Table(
    "projections",
    control,
    sa.Column("projection", sa.String(40), primary_key=True),
    sa.Column("live", sa.Integer, nullable=False),
    sa.Column("previous", sa.Integer),  # kept for a rollback
    sa.Column("building", sa.Integer),
    sa.Column("last_error", sa.String(500)),
    sa.Column("error_at", UtcDateTime),
)

generations = sa.Table(
    "projection_generations",
    control,
    sa.Column("projection", sa.String(40), primary_key=True),
    sa.Column("generation", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("code_digest", sa.String(16), nullable=False),
    sa.Column("shape_digest", sa.String(16), nullable=False),
    sa.Column("digest", sa.String(32)),  # of the rows, where they were found to differ from the live generation's
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("dropped", sa.Boolean, nullable=False),
)

history = sa.Table(
    "projection_history",
    control,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("projection", sa.String(40), nullable=False, index=True),
    sa.Column("what", sa.String(20), nullable=False),  # created | rebuilt | accepted | rolled-back
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),  # of the log that the switch happened at
    sa.Column("reason", sa.String(500)),
)


@dataclass(frozen=True)
class Generation:
    place: Place
    code_digest: str
    shape_digest: str
    digest: str | None = None

    def fits(self, model: ReadModel) -> bool:
        """Whether this program can read and write it."""
        return self.shape_digest == model.shape_digest

    def made_by(self, model: ReadModel) -> bool:
        return self.code_digest == model.code_digest


@dataclass(frozen=True)
class Entry:
    """What the registry says of one projection."""

    live: Generation
    previous: Generation | None
    building: Generation | None
    last_error: str | None

    @property
    def all(self) -> list[Generation]:
        return [generation for generation in (self.live, self.previous, self.building) if generation]

    def served(self, model: ReadModel) -> Generation | None:
        """The generation for this program: the live one; while programs of two versions run, the one that fits it."""
        fitting = (generation for generation in (self.live, self.previous) if generation and generation.fits(model))
        return next(fitting, None)


class RebuildNeeded(Exception):
    """No generation has the tables that this program's read model expects."""

    def __init__(self, name: str) -> None:
        super().__init__(f"rebuild needed: the tables of {name!r} have changed; run: orders projections rebuild {name}")


def read_registry(connection: sa.Connection) -> dict[str, Entry]:
    """All projections that have a generation, by name."""
    known: dict[tuple[str, int], Generation] = {}
    in_use = projections.c.live, projections.c.previous, projections.c.building
    same = projections.c.projection == generations.c.projection
    for row in connection.execute(
        sa.select(generations).join(projections, same & generations.c.generation.in_(in_use))
    ):
        place = Place(row.projection, row.generation)
        known[place] = Generation(place, row.code_digest, row.shape_digest, row.digest)
    return {
        row.projection: Entry(
            known[row.projection, row.live],
            known.get((row.projection, row.previous or 0)),
            known.get((row.projection, row.building or 0)),
            row.last_error,
        )
        for row in connection.execute(sa.select(projections))
    }


def ensure(storage: Storage, models: Sequence[ReadModel], fixed: Sequence[Place] = ()) -> None:
    """Make the tables of the control database, and a first, empty generation of each new read model.

    `fixed`: what follows the log in the control database itself.

    Any number of processes may do so at once.
    """
    storage.create_bookkeeping(storage.control)
    with storage.control.execution_options(immediate=True).begin() as connection:
        storage.one_at_a_time(connection)
        control.create_all(connection)
        for place in fixed:
            begin_at_0(connection, place)
        known = set(connection.execute(sa.select(projections.c.projection)).scalars())
    for model in models:
        if model.name not in known:
            place = Place(model.name, 1)
            storage.create(place, model, indexes=True)
            with storage.control.execution_options(immediate=True).begin() as connection:
                storage.one_at_a_time(connection)
                if connection.execute(sa.select(projections).where(_named(model.name))).first() is None:
                    add_generation(connection, place, model)
                    connection.execute(projections.insert().values(projection=model.name, live=1))
                    record(connection, place, "created", 0)


def next_number(connection: sa.Connection, name: str) -> int:
    """A generation number that was never used."""
    last = connection.execute(sa.select(sa.func.max(generations.c.generation)).where(generations.c.projection == name))
    return int(last.scalar_one() or 0) + 1


def add_generation(connection: sa.Connection, place: Place, model: ReadModel) -> None:
    connection.execute(
        generations.insert().values(
            projection=place.projection,
            generation=place.number,
            code_digest=model.code_digest,
            shape_digest=model.shape_digest,
            created_at=datetime.now(UTC),
            dropped=False,
        )
    )


def drop_unused(storage: Storage, name: str) -> None:
    """Remove the generations of a projection that are neither served, nor kept for a rollback, nor being built."""
    with storage.control.connect() as connection:
        entry = read_registry(connection)[name]
        rows = connection.execute(
            sa.select(generations.c.generation).where(generations.c.projection == name, ~generations.c.dropped)
        )
        in_use = {generation.place for generation in entry.all}
        unused = [place for row in rows if (place := Place(name, row.generation)) not in in_use]
    for place in unused:
        storage.drop(place)
        with storage.control.execution_options(immediate=True).begin() as connection:
            connection.execute(generations.update().where(*_is(place)).values(dropped=True))


def change(connection: sa.Connection, name: str, **values: Any) -> None:
    """Set columns of a projection."""
    connection.execute(projections.update().where(_named(name)).values(values))


def note_difference(connection: sa.Connection, place: Place, digest: str | None) -> None:
    connection.execute(generations.update().where(*_is(place)).values(digest=digest))


def note_error(connection: sa.Connection, name: str, error: str | None) -> None:
    """The last error of a projection; None: it goes on without."""
    at = None if error is None else datetime.now(UTC)
    change(connection, name, last_error=None if error is None else error[:500], error_at=at)


def record(connection: sa.Connection, place: Place, what: str, position: int, reason: str | None = None) -> None:
    """Add to the history."""
    connection.execute(
        history.insert().values(
            at=datetime.now(UTC),
            projection=place.projection,
            what=what,
            generation=place.number,
            position=position,
            reason=reason,
        )
    )


def read_history(connection: sa.Connection, name: str, limit: int = 20) -> list[Mapping[str, Any]]:
    """What happened to a projection, newest first."""
    query = sa.select(history).where(history.c.projection == name).order_by(history.c.id.desc()).limit(limit)
    return [dict(row) for row in connection.execute(query).mappings()]


def _named(name: str) -> sa.ColumnElement[bool]:
    return projections.c.projection == name


def _is(place: Place) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return (generations.c.projection == place.projection, generations.c.generation == place.number)

"""Applies batches of events to generations: rows and position in one transaction, so that nothing is applied twice.

Whoever applies holds the position's row (on SQLite the file's write lock) and takes only what lies after it. An event
that cannot be folded is set aside, with all later ones of its stream; everything else goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from domain.stream import Stream
from projections.log import Batch
from projections.model import NotFolded, ReadModel, Recorded, Undecodable
from projections.storage import Place, Storage, dead_letters, is_of, positions
from projections.writing import GenerationWriter

log = logging.getLogger(__name__)


class Target(Protocol):
    """Something that follows the log with a position of its own."""

    @property
    def place(self) -> Place: ...

    def wants(self, event: Stream.Event | Undecodable) -> bool: ...

    def write(self, connection: sa.Connection, batch: Sequence[Recorded], *, bulk: bool = False) -> None: ...


class ModelTarget:
    """One generation of a read model."""

    def __init__(self, storage: Storage, place: Place, model: ReadModel) -> None:
        self.place = place
        self.model = model
        self.wants = model.wants
        self.skipped: frozenset[int] = frozenset()  # positions that a person gave up, where they cannot be folded
        self._writer = GenerationWriter(model, storage.schema(place), storage.engine(place).dialect)

    def write(self, connection: sa.Connection, batch: Sequence[Recorded], *, bulk: bool = False) -> None:
        """Raises NotFolded, before anything is written."""
        while True:
            try:
                return self._writer.write(connection, batch, bulk=bulk)
            except NotFolded as failed:
                if failed.position not in self.skipped:
                    raise
                batch = [recorded for recorded in batch if recorded.position != failed.position]


def insert_for(connection: sa.Connection, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT of the connection's dialect, which knows ON CONFLICT."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def apply(
    connection: sa.Connection, targets: Sequence[Target], batch: Batch, *, bulk: bool = False
) -> dict[Place, int]:
    """Apply a batch to targets of one database, in the caller's transaction; where each stands then.

    A target that does not stand within the batch is left alone. Raises whatever a fold or a write raises.
    """
    stands = lock_positions(connection, [target.place for target in targets])
    aside = streams_set_aside(connection, [target.place for target in targets])
    moved: dict[Place, int] = {}
    for target in targets:
        place, position = target.place, stands[target.place]
        if batch.after <= position < batch.end:
            events = [recorded for recorded in batch.following(position) if target.wants(recorded.event)]
            kept = _without(connection, place, events, aside.get(place, set()))
            if kept:
                target.write(connection, kept, bulk=bulk)
            moved[place] = batch.end
    set_positions(connection, moved)
    return stands | moved


def apply_carefully(connection: sa.Connection, target: Target, batch: Batch) -> int:
    """As `apply`, event by event, for one target: what cannot be folded is set aside with the rest of its stream."""
    place = target.place
    position = lock_positions(connection, [place])[place]
    if not batch.after <= position < batch.end:
        return position
    aside = streams_set_aside(connection, [place]).get(place, set())
    for recorded in batch.following(position):
        if target.wants(recorded.event) and _without(connection, place, [recorded], aside):
            error = try_to_write(connection, target, [recorded])
            if error is not None:
                log.error("projection %s sets position %d aside: %s", place.name, recorded.position, error)
                set_aside(connection, place, recorded, error)
                aside.add(recorded.event.originator_id)
    set_positions(connection, {place: batch.end})
    return batch.end


def try_to_write(connection: sa.Connection, target: Target, batch: Sequence[Recorded]) -> str | None:
    """Write it, or leave no trace of it and say what is wrong with the events. Raises SQLAlchemyError where the
    database is what fails."""
    savepoint = connection.begin_nested()
    try:
        target.write(connection, batch)
    except Exception as error:
        savepoint.rollback()
        if isinstance(error, SQLAlchemyError) and not isinstance(error, DataError | IntegrityError):
            raise
        return describe(error)
    savepoint.commit()
    return None


def describe(error: Exception) -> str:
    """The error without the values that it happened with: a database error would show them."""
    return type(error).__name__ if isinstance(error, SQLAlchemyError) else f"{type(error).__name__}: {error}"[:500]


# --- positions --------------------------------------------------------------------------------------------------------


def lock_positions(connection: sa.Connection, places: Sequence[Place]) -> dict[Place, int]:
    """Where the generations stand; nobody else moves them before this transaction ends."""
    query = (
        sa.select(positions)
        .where(sa.or_(*(sa.and_(*is_of(positions, place)) for place in places)))
        .order_by(positions.c.projection, positions.c.generation)  # so that two who lock several never wait in a ring
        .with_for_update()
    )
    found = {Place(row.projection, row.generation): int(row.position) for row in connection.execute(query)}
    missing = [place.name for place in places if place not in found]
    if missing:
        raise GenerationGone(", ".join(missing))
    return found


class GenerationGone(Exception):
    """The generation was dropped: another one is served now."""


def set_positions(connection: sa.Connection, moved: dict[Place, int]) -> None:
    statement = (
        positions.update()
        .where(positions.c.projection == sa.bindparam("p"), positions.c.generation == sa.bindparam("g"))
        .values(position=sa.bindparam("to"))
    )
    rows = [{"p": place.projection, "g": place.number, "to": position} for place, position in moved.items()]
    if rows:
        connection.execute(statement, rows)


# --- dead letters -----------------------------------------------------------------------------------------------------


def streams_set_aside(connection: sa.Connection, places: Iterable[Place]) -> dict[Place, set[UUID]]:
    query = sa.select(dead_letters.c.projection, dead_letters.c.generation, dead_letters.c.stream_id).distinct()
    query = query.where(sa.or_(*(sa.and_(*is_of(dead_letters, place)) for place in places)))
    found: dict[Place, set[UUID]] = {}
    for row in connection.execute(query):
        found.setdefault(Place(row.projection, row.generation), set()).add(row.stream_id)
    return found


def set_aside(connection: sa.Connection, place: Place, recorded: Recorded, error: str | None) -> None:
    event = recorded.event
    topic = event.topic if isinstance(event, Undecodable) else type(event).TOPIC  # type: ignore[attr-defined]
    connection.execute(
        dead_letters.insert().values(
            projection=place.projection,
            generation=place.number,
            position=recorded.position,
            stream_id=event.originator_id,
            topic=topic,
            error=error,
            set_aside_at=datetime.now(UTC),
        )
    )


def _without(
    connection: sa.Connection, place: Place, events: Sequence[Recorded], aside: Collection[UUID]
) -> Sequence[Recorded]:
    """The events whose streams go on; the others wait behind those that were set aside before."""
    if not aside:
        return events
    for recorded in events:
        if recorded.event.originator_id in aside:
            set_aside(connection, place, recorded, None)
    return [recorded for recorded in events if recorded.event.originator_id not in aside]

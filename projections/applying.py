"""Applies batches of events to generations: rows and position in one transaction, so that nothing is applied twice.

Whoever applies holds the position's row (on SQLite the file's write lock) and takes only what lies after it. An event
that cannot be folded is set aside, with all later ones of its stream; everything else goes on.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from projections.log import Batch
from projections.model import NotFolded, ReadModel, Recorded
from projections.positions import lock_positions, move_together, set_aside, set_positions, streams_set_aside
from projections.sessions import Sql, sql_of
from projections.storage import Place, Storage
from projections.writing import GenerationWriter

log = logging.getLogger(__name__)


class Target(ABC):
    """Something that follows the log with a position of its own."""

    place: Place
    topics: frozenset[str]  # that it listens to
    _left_at: int | None = None

    @abstractmethod
    def wanted(self, events: Sequence[Recorded]) -> list[Recorded]:
        """Those that it listens to."""

    @abstractmethod
    def write(self, sql: Sql, batch: Sequence[Recorded], *, bulk: bool = False) -> None: ...

    def left_at(self, position: int) -> None:
        """What was written is committed, nothing is set aside, and that is where the generation stands."""
        self._left_at = position

    def was_left_at(self, position: int) -> bool:
        return self._left_at == position

    def still_at(self, position: int) -> bool:
        """Whether nobody else has written since then. Where that is not so, what was remembered is forgotten."""
        if self._left_at != position:
            self.forget()
            return False
        self._left_at = None  # until what comes now is committed
        return True

    def forget(self) -> None:
        """What may have been rolled back."""
        self._left_at = None


class Applied(NamedTuple):
    """Where each target stands; once that is committed, it is where the `clean` ones were left."""

    stands: dict[Place, int]
    clean: list[Target]

    def committed(self) -> dict[Place, int]:
        """Tell the targets that it is."""
        for target in self.clean:
            target.left_at(self.stands[target.place])
        return self.stands


class ModelTarget(Target):
    """One generation of a read model."""

    def __init__(self, storage: Storage, place: Place, model: ReadModel) -> None:
        self.place = place
        self.topics = model.topics
        self.model = model
        self.skipped: frozenset[int] = frozenset()  # positions that a person gave up, where they cannot be folded
        self._writer = GenerationWriter(model, storage.schema(place), storage.engine(place).dialect)

    def wanted(self, events: Sequence[Recorded]) -> list[Recorded]:
        return self.model.wanted(events)

    def write(self, sql: Sql, batch: Sequence[Recorded], *, bulk: bool = False) -> None:
        """Raises NotFolded, before anything is written."""
        while True:
            try:
                return self._writer.write(sql, batch, bulk=bulk)
            except NotFolded as failed:
                if failed.position not in self.skipped:
                    raise
                batch = [recorded for recorded in batch if recorded.position != failed.position]

    def forget(self) -> None:
        super().forget()
        self._writer.recent.forget()


def insert_for(connection: sa.Connection, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT of the connection's dialect, which knows ON CONFLICT."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def apply(sql: Sql, targets: Sequence[Target], batch: Batch, *, bulk: bool = False) -> Applied:
    """Apply a batch to targets of one database, in the caller's transaction.

    A target that does not stand within the batch is left alone. Raises whatever a fold or a write raises, and
    StandApart.
    """
    places = [target.place for target in targets]
    if all(target.was_left_at(batch.after) for target in targets) and move_together(
        sql, places, batch.after, batch.end
    ):
        # They stand where we have left them, so nothing is set aside either: there is nothing to read.
        for target in targets:
            target.still_at(batch.after)
            if batch.concerns(target.topics) and (wanted := target.wanted(batch.events)):
                target.write(sql, wanted, bulk=bulk)
        return Applied(dict.fromkeys(places, batch.end), list(targets))
    stands = lock_positions(sql, places)
    # Only who moves the position sets anything aside, so a position that we have left without has nothing aside still.
    asked = [target.place for target in targets if not target.still_at(stands[target.place])]
    aside = streams_set_aside(sql, asked)
    moved: list[Place] = []
    for target in targets:
        place, position = target.place, stands[target.place]
        if batch.after <= position < batch.end:
            kept = _without(sql, place, target.wanted(batch.following(position)), aside.get(place, set()))
            if kept:
                target.write(sql, kept, bulk=bulk)
            moved.append(place)
    set_positions(sql, moved, batch.end)
    clean = [target for target in targets if target.place not in aside]
    return Applied(stands | dict.fromkeys(moved, batch.end), clean)


def apply_carefully(connection: sa.Connection, target: Target, batch: Batch) -> int:
    """As `apply`, event by event, for one target: what cannot be folded is set aside with the rest of its stream."""
    place = target.place
    target.forget()
    with sql_of(connection) as sql:
        position = lock_positions(sql, [place])[place]
        if not batch.after <= position < batch.end:
            return position
        aside = streams_set_aside(sql, [place]).get(place, set())
        for recorded in target.wanted(batch.following(position)):
            if _without(sql, place, [recorded], aside):
                error = try_to_write(connection, target, [recorded])
                if error is not None:
                    log.error("projection %s sets position %d aside: %s", place.name, recorded.position, error)
                    set_aside(sql, place, [recorded], error)
                    aside.add(recorded.event.originator_id)
        set_positions(sql, [place], batch.end)
    return batch.end


def try_to_write(connection: sa.Connection, target: Target, batch: Sequence[Recorded]) -> str | None:
    """Write it, or leave no trace of it and say what is wrong with the events. Raises SQLAlchemyError where the
    database is what fails."""
    savepoint = connection.begin_nested()
    try:
        with sql_of(connection) as sql:
            target.write(sql, batch)
    except Exception as error:
        target.forget()
        savepoint.rollback()
        if isinstance(error, SQLAlchemyError) and not isinstance(error, DataError | IntegrityError):
            raise
        return describe(error)
    savepoint.commit()
    return None


def describe(error: Exception) -> str:
    """The error without the values that it happened with: a database error would show them."""
    return type(error).__name__ if isinstance(error, SQLAlchemyError) else f"{type(error).__name__}: {error}"[:500]


def _without(sql: Sql, place: Place, events: Sequence[Recorded], aside: Collection[UUID]) -> Sequence[Recorded]:
    """The events whose streams go on; the others wait behind those that were set aside before."""
    if not aside:
        return events
    if waiting := [recorded for recorded in events if recorded.event.originator_id in aside]:
        set_aside(sql, place, waiting, None)
    return [recorded for recorded in events if recorded.event.originator_id not in aside]

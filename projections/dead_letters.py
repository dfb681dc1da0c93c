"""Events that were set aside: list them, try them again, or give one up for a reason that is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from projections.applying import ModelTarget, insert_for, try_to_write
from projections.columns import UtcDateTime
from projections.log import LogReader
from projections.model import ReadModel
from projections.positions import lock_positions
from projections.registry import control, read_registry
from projections.sessions import sql_of
from projections.storage import Storage, dead_letters, is_of

skips = sa.Table(
    "projection_skips",
    control,
    sa.Column("projection", sa.String(40), primary_key=True),
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("stream_id", sa.Uuid, nullable=False),
    sa.Column("actor", sa.String(120), nullable=False),
    sa.Column("reason", sa.String(500), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)


@dataclass(frozen=True)
class DeadLetter:
    """One event that was set aside. `error` is None where it only waits for the ones before it."""

    projection: str
    position: int
    stream_id: UUID
    topic: str
    error: str | None
    set_aside_at: datetime


@dataclass(frozen=True)
class Tried:
    """What became of one stream's events in one projection."""

    projection: str
    stream_id: UUID
    applied: int
    left: int
    error: str | None


class DeadLetters:
    """Those of the served generations."""

    def __init__(self, storage: Storage, models: Sequence[ReadModel], log: LogReader) -> None:
        self._storage = storage
        self._models = {model.name: model for model in models}
        self._log = log

    def waiting(self, limit: int | None = None) -> list[DeadLetter]:
        """By projection and position; the first of them, where there is a limit."""
        found: list[DeadLetter] = []
        for target in self._served():
            with self._storage.engine(target.place).connect() as connection:
                query = sa.select(dead_letters).where(*is_of(dead_letters, target.place))
                query = query.order_by(dead_letters.c.position).limit(None if limit is None else limit - len(found))
                found += [
                    DeadLetter(row.projection, row.position, row.stream_id, row.topic, row.error, row.set_aside_at)
                    for row in connection.execute(query)
                ]
        return found

    def count(self) -> int:
        """How many are waiting."""
        number = 0
        for target in self._served():
            query = sa.select(sa.func.count()).select_from(dead_letters).where(*is_of(dead_letters, target.place))
            with self._storage.engine(target.place).connect() as connection:
                number += int(connection.execute(query).scalar_one())
        return number

    def retry(self, stream_id: UUID | None = None) -> list[Tried]:
        """Fold them again, in order; of one stream or of all. The first that still fails keeps the rest waiting."""
        streams = dict.fromkeys((row.projection, row.stream_id) for row in self.waiting())
        targets = {target.place.projection: target for target in self._served()}
        wanted = [(name, stream) for name, stream in streams if stream_id in (None, stream)]
        return [self._retry(targets[name], stream) for name, stream in wanted]

    def skip(self, stream_id: UUID, *, actor: str, reason: str) -> list[Tried]:
        """Give up the first event of the stream wherever it was set aside, and go on with the ones behind it.

        A rebuild leaves it out too, as long as it cannot be folded.
        """
        firsts: dict[str, DeadLetter] = {}
        for row in self.waiting():
            if row.stream_id == stream_id:
                firsts.setdefault(row.projection, row)
        with self._storage.control.execution_options(immediate=True).begin() as connection:
            for row in firsts.values():
                values: dict[str, Any] = {
                    "stream_id": stream_id,
                    "actor": actor,
                    "reason": reason,
                    "at": datetime.now(UTC),
                }
                insert = insert_for(connection, skips).values(
                    projection=row.projection, position=row.position, **values
                )
                connection.execute(insert.on_conflict_do_nothing())
        return self.retry(stream_id) if firsts else []

    def _retry(self, target: ModelTarget, stream_id: UUID) -> Tried:
        place, table = target.place, dead_letters
        with self._storage.control.connect() as connection:
            skipped = skipped_positions(connection).get(place.projection, set())
        with self._storage.writer(place).begin() as connection:
            with sql_of(connection) as sql:
                lock_positions(sql, [place])  # the projector waits, and then finds what is left
            ours = (*is_of(table, place), table.c.stream_id == stream_id)
            rows = connection.execute(sa.select(table.c.position).where(*ours).order_by(table.c.position)).scalars()
            waiting = self._log.of_stream(stream_id, rows)
            applied, error = 0, None
            for recorded in waiting:
                error = try_to_write(connection, target, [recorded])
                here = (*ours, table.c.position == recorded.position)
                if error is not None and recorded.position not in skipped:
                    connection.execute(table.update().where(*here).values(error=error))
                    break
                applied += error is None
                error = None
                connection.execute(table.delete().where(*here))
            left = connection.execute(sa.select(sa.func.count()).select_from(table).where(*ours)).scalar_one()
        return Tried(place.projection, stream_id, applied, int(left), error)

    def _served(self) -> list[ModelTarget]:
        with self._storage.control.connect() as connection:
            registry = read_registry(connection)
        served = [(model, registry[name].served(model)) for name, model in self._models.items() if name in registry]
        return [ModelTarget(self._storage, found.place, model) for model, found in served if found is not None]


def skipped_positions(connection: sa.Connection) -> Mapping[str, set[int]]:
    """The events that people gave up, by projection."""
    found: dict[str, set[int]] = {}
    for row in connection.execute(sa.select(skips.c.projection, skips.c.position)):
        found.setdefault(row.projection, set()).add(row.position)
    return found

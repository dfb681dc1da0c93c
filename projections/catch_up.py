"""Follows the log and keeps the read models up to date: batches, rows and checkpoint in one transaction."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from domain.stream import Stream

log = logging.getLogger(__name__)

BATCH = 500
POLL_S = 0.05  # how soon a new event is noticed without a wake-up
RETRY_S = 1.0

metadata = sa.MetaData()

checkpoints = sa.Table(
    "projection_checkpoints",
    metadata,
    sa.Column("name", sa.String(80), primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
)


@dataclass(frozen=True)
class Recorded:
    """One event with its position in the log."""

    position: int
    event: Stream.Event


class Source(Protocol):
    """Events after a position, in order; at most `limit`."""

    async def __call__(self, after: int, limit: int) -> Sequence[Recorded]: ...


class ReadModel(Protocol):
    """A table, and what events do to it."""

    name: str

    def fold(self, connection: sa.Connection, batch: Sequence[Recorded]) -> None: ...


def insert_for(connection: sa.Connection, table: sa.Table) -> Any:
    """An INSERT of the connection's dialect, which knows ON CONFLICT."""
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


class Projector:
    """Applies the log to all read models of one database.

    Two projectors on one database never apply an event twice: each takes the checkpoint row for the length of its
    transaction and applies only what lies after it.
    """

    NAME = "views"

    def __init__(
        self,
        engine: sa.Engine,
        models: Sequence[ReadModel],
        source: Source,
        run_blocking: Callable[[Callable[[], Any]], Awaitable[Any]],
    ) -> None:
        self._engine = engine.execution_options(immediate=True)  # SQLite: take the write lock from the start
        self._models = models
        self._source = source
        self._run_blocking = run_blocking
        self.position = 0
        self.last_error: str | None = None

    async def run(self) -> None:
        """Follow the log until cancelled; an error is kept for the status and tried again."""
        while True:
            try:
                applied = await self.catch_up()
                self.last_error = None
                if applied < BATCH:  # small batches cost most per event: let some gather
                    await asyncio.sleep(POLL_S)
            except Exception as error:
                self.last_error = type(error).__name__
                log.exception("the projector stopped at position %d and tries again", self.position)
                await asyncio.sleep(RETRY_S)

    async def catch_up(self) -> int:
        """Apply one batch; how many events it had."""
        batch = await self._source(self.position, BATCH)
        if not batch and self.position:
            return 0
        position = await self._run_blocking(lambda: self._apply(batch))
        self.position = position
        return len(batch)

    def _apply(self, batch: Sequence[Recorded]) -> int:
        with self._engine.begin() as connection:
            row = connection.execute(
                sa.select(checkpoints.c.position).where(checkpoints.c.name == self.NAME).with_for_update()
            ).one()
            position = int(row.position)
            if position == self.position and batch:
                for model in self._models:
                    model.fold(connection, batch)
                position = batch[-1].position
                connection.execute(
                    checkpoints.update().where(checkpoints.c.name == self.NAME).values(position=position)
                )
            return position


def read_position(connection: sa.Connection) -> int:
    """How far the read models have followed the log."""
    row = connection.execute(sa.select(checkpoints.c.position).where(checkpoints.c.name == Projector.NAME)).one()
    return int(row.position)


def create_tables(engine: sa.Engine) -> None:
    """Create what is missing; several processes may do so at once."""
    with engine.execution_options(immediate=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('projections.create_tables'))"))
        metadata.create_all(connection)
        connection.execute(
            insert_for(connection, checkpoints).values(name=Projector.NAME, position=0).on_conflict_do_nothing()
        )

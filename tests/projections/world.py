"""A product without its servers: a log on a real database, and the parts that keep and rebuild the read models."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import sqlalchemy as sa

from api.bootstrap import migrate
from api.read_models import MODELS, ReadModels
from api.settings import Settings
from application.adapters.recorders import open_recorder
from application.stored_events import CODEC
from domain.policy import Policy
from domain.stream import Stream
from projections.model import ReadModel
from projections.registry import read_registry
from projections.storage import Place, read_position

T = TypeVar("T")

MOST = 900  # events per insert


class World:
    """Everything blocks: no event loop runs here."""

    def __init__(self, settings: Settings, owner: str = "test") -> None:
        self.settings = settings
        self.parts = ReadModels(settings, Policy(), owner)
        self.log: list[Stream.Event] = []

    def append(self, events: Sequence[Stream.Event]) -> None:
        """Given that this happened."""
        append(self.settings.database_url, events)
        self.log += events

    def follow(self) -> None:
        """When the projector has followed the log to its end."""
        while self.parts.following.round():
            pass

    def served(self, model: ReadModel) -> Place:
        with self.parts.storage.control.connect() as connection:
            return read_registry(connection)[model.name].live.place

    def read(self, model: ReadModel, query: Any) -> Any:
        """Then this is what readers find."""
        with self.parts.storage.reader(self.served(model)).begin() as connection:
            return query(connection)

    def rows(self, table: sa.Table) -> list[dict[str, Any]]:
        (model,) = [model for model in MODELS if table in model.tables]
        found = self.read(model, lambda connection: connection.execute(sa.select(table)).mappings().all())
        return sorted((dict(row) for row in found), key=lambda row: [str(row[c.name]) for c in table.primary_key])

    def position(self, model: ReadModel) -> int:
        place = self.served(model)
        with self.parts.storage.engine(place).connect() as connection:
            return read_position(connection, place)

    def same_as_a_fresh_fold(self) -> bool:
        return all(outcome.comparison.equal for outcome in self.parts.rebuilder.verify(MODELS))

    def close(self) -> None:
        asyncio.run(self.parts.close())


@contextmanager
def opened_world(database_url: str) -> Iterator[World]:
    settings = Settings(database_url=database_url)
    asyncio.run(migrate(settings))
    world = World(settings)
    try:
        yield world
    finally:
        world.close()


@contextmanager
def another(world: World, owner: str) -> Iterator[World]:
    """The same product in what might be another process."""
    other = World(world.settings, owner)
    try:
        yield other
    finally:
        other.close()


def append(database_url: str, events: Sequence[Stream.Event]) -> None:
    async def insert() -> None:
        recorder = open_recorder(database_url)
        try:
            for start in range(0, len(events), MOST):
                await recorder.insert([CODEC.encode(event) for event in events[start : start + MOST]])
        finally:
            await recorder.close()

    asyncio.run(insert())

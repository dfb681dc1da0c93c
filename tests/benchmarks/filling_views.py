"""The rows that the read models hold of one order, multiplied: as if the projector had followed a log of many."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from api.bootstrap import policy_of
from api.read_models import MODELS, ReadModels
from api.settings import Settings
from projections.model import GENERATION, ReadModel
from projections.open_work import OpenWork
from projections.registry import read_registry
from projections.storage import Place, positions

VARIED: Final = frozenset({"number", "request_id", "invoice_number", "transaction_id", "email_id"})  # must differ


class Views:
    """All read models of one product. `streams`, `positions`: of the events of the order that is multiplied."""

    def __init__(self, database_url: str, streams: Sequence[UUID], positions: Sequence[int]) -> None:
        settings = Settings(database_url=database_url)
        self._models = ReadModels(settings, policy_of(settings), "filling")
        self._storage = self._models.storage
        self._first = positions[0]
        self._positions = frozenset(positions)
        with self._storage.control.connect() as connection:
            registry = read_registry(connection)
        self._places = {entry.live.place for entry in registry.values()} | {OpenWork.place}
        self._templates = [
            (registry[model.name].live.place, table, rows)
            for model in MODELS
            for table, rows in self._rows_of(model, registry[model.name].live.place, frozenset(streams))
        ]

    def add(self, orders: Sequence[Mapping[UUID, UUID]], last_position: int) -> None:
        """Their rows, in every table that has rows of the template. The events follow `last_position`."""
        events = len(self._positions)
        for place, table, rows in self._templates:
            made = [
                self._renewed(row, fresh, last_position + 1 + number * events - self._first)
                for number, fresh in enumerate(orders)
                for row in rows
            ]
            engine = self._storage.writer(place).execution_options(schema_translate_map={GENERATION: None})
            with engine.begin() as connection:
                if self._storage.is_postgresql:
                    _copy(connection, f"{self._storage.schema(place)}.{table.name}", list(rows[0]), made)
                else:
                    connection.execute(sa.insert(table), made)

    def finish(self, position: int) -> None:
        """Say that all of them have been followed up to there."""
        for place in self._places:
            with self._storage.writer(place).begin() as connection:
                connection.execute(positions.update().values(position=position))

    def close(self) -> None:
        self._storage.close()

    def _rows_of(
        self, model: ReadModel, place: Place, streams: frozenset[UUID]
    ) -> list[tuple[sa.Table, list[dict[str, Any]]]]:
        found = []
        with self._storage.reader(place).connect() as connection:
            for table in model.tables:
                rows = [dict(row) for row in connection.execute(sa.select(table)).mappings()]
                if mine := [row for row in rows if not streams.isdisjoint(_ids(row))]:
                    found.append((table, mine))
        return found

    def _renewed(self, row: Mapping[str, Any], fresh: Mapping[UUID, UUID], shift: int) -> dict[str, Any]:
        return {name: self._new(name, value, fresh, shift) for name, value in row.items()}

    def _new(self, name: str, value: Any, fresh: Mapping[UUID, UUID], shift: int) -> Any:
        if isinstance(value, UUID):
            return fresh.get(value, value)
        if name.endswith("position") and value in self._positions:
            return value + shift
        if name in VARIED and value:
            return os.urandom(20).hex()[: len(value)]
        return value


def _ids(row: Mapping[str, Any]) -> set[UUID]:
    return {value for value in row.values() if isinstance(value, UUID)}


def _copy(connection: sa.Connection, table: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(tuple(row.values()))

"""The read models, as the reading routes use them: queries with the position they were read at."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from api.read_models import ORDERS
from application.adapters.query_limit import limited
from application.adapters.sql import SqlThreads
from application.reconciler import KnownPayment
from projections.model import ReadModel
from projections.orders import find_by_invoice
from projections.registry import RebuildNeeded, read_registry
from projections.storage import Place, Storage, read_position

T = TypeVar("T")

POLL_S = 0.02
SWITCHES = 3  # that one read may meet


class ViewsDatabase:
    """Reads from the generations that are served, on a few threads of its own."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._sql = SqlThreads(storage.control, "views")

    async def read(self, model: ReadModel, query: Callable[[sa.Connection], T]) -> tuple[int, T]:
        """The query's result and the position that it was read at: one moment of one generation.

        Raises RebuildNeeded where no generation has the tables that this version knows, TookTooLong.
        """
        return await self._sql.run_blocking(lambda: self._read(model, query))

    async def position(self, model: ReadModel = ORDERS) -> int:
        """How far a read model has followed the log."""
        return (await self.read(model, lambda _: None))[0]

    async def wait_for(self, position: int, timeout_s: float, model: ReadModel = ORDERS) -> bool:
        """Whether a read model has reached the position within the time."""
        deadline = monotonic() + timeout_s
        while await self.position(model) < position:
            if monotonic() > deadline:
                return False
            await asyncio.sleep(POLL_S)
        return True

    async def by_invoice(self, invoice_numbers: Sequence[str]) -> Mapping[str, KnownPayment]:
        """The orders that carry the invoice numbers."""
        _, rows = await self.read(ORDERS, lambda connection: find_by_invoice(connection, invoice_numbers))
        return {number: KnownPayment(*known) for number, known in rows.items()}

    async def run_blocking(self, call: Callable[[], T]) -> T:
        """Other questions to the read models that block."""
        return await self._sql.run_blocking(call)

    async def close(self) -> None:
        await self._sql.close()

    def _read(self, model: ReadModel, query: Callable[[sa.Connection], T]) -> tuple[int, T]:
        place = self._served(model)
        for _ in range(SWITCHES):
            try:
                found = self._read_from(place, query)
            except DBAPIError as error:
                now = self._served(model)
                if now == place and not error.connection_invalidated:
                    raise
                place = now  # it was dropped just then, or the connection was dead
                continue
            # What was served before goes on following the log: read after a switch, it may be ahead of what is served
            # now, and the next answer would seem to go back.
            if (now := self._served(model)) == place:
                return found
            place = now
        return self._read_from(place, query)

    def _read_from(self, place: Place, query: Callable[[sa.Connection], T]) -> tuple[int, T]:
        with self._storage.reader(place).begin() as connection, limited(connection):
            return read_position(connection, place), query(connection)

    def _served(self, model: ReadModel) -> Place:
        with self._storage.control.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            entry = read_registry(connection).get(model.name)
        served = entry.served(model) if entry else None
        if served is None:
            raise RebuildNeeded(model.name)
        return served.place

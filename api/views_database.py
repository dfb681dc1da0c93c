"""The database of the read models, as the reading routes use it: queries with the position they were read at."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import TypeVar

import sqlalchemy as sa

from application.adapters.sql import SqlThreads
from application.reconciler import KnownPayment
from projections.catch_up import read_position
from projections.orders import find_by_invoice

T = TypeVar("T")

POLL_S = 0.02


class ViewsDatabase:
    """Reads from the read models, on a few threads of its own."""

    def __init__(self, engine: sa.Engine) -> None:
        self._sql = SqlThreads(engine, "views")

    async def read(self, query: Callable[[sa.Connection], T]) -> tuple[int, T]:
        """The query's result, and a position that it holds at least."""
        return await self._sql.statement(lambda connection: (read_position(connection), query(connection)))

    async def position(self) -> int:
        """How far the read models have followed the log."""
        return await self._sql.statement(read_position)

    async def wait_for(self, position: int, timeout_s: float) -> bool:
        """Whether the read models have reached the position within the time."""
        deadline = monotonic() + timeout_s
        while await self.position() < position:
            if monotonic() > deadline:
                return False
            await asyncio.sleep(POLL_S)
        return True

    async def by_invoice(self, invoice_numbers: Sequence[str]) -> Mapping[str, KnownPayment]:
        """The orders that carry the invoice numbers."""
        rows = await self._sql.statement(lambda connection: find_by_invoice(connection, invoice_numbers))
        return {number: KnownPayment(*known) for number, known in rows.items()}

    async def close(self) -> None:
        await self._sql.close()

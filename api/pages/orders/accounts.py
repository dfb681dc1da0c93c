"""What stands beside an order: the postings it led to, and the seal that covers its events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from api.read_models import LEDGER
from api.views_database import ViewsDatabase
from application.adapters.sql import Busy
from application.audit.seals.storing import StoreFailed
from application.ports.seals import Seal, Seals
from projections.ledger.entries import postings_of_order
from projections.model import Row
from projections.registry import RebuildNeeded


@dataclass(frozen=True)
class OrderAccounts:
    """Each is None where it cannot be read at the moment; the order's own page does not wait for it."""

    postings: Sequence[Row] | None
    seals: Mapping[int, Seal] | None
    positions: Sequence[int]

    @property
    def last_seal(self) -> Seal | None:
        """The seal under which all events of the order lie; None while one of them is not under any."""
        if not self.seals or any(position not in self.seals for position in self.positions):
            return None
        return max(self.seals.values(), key=lambda seal: seal.position)

    @property
    def unsealed(self) -> int:
        """How many of the order's events wait for their seal."""
        return sum(position not in (self.seals or {}) for position in self.positions)


@dataclass(frozen=True)
class Accounts:
    """One per process."""

    views: ViewsDatabase
    seals: Seals

    async def of(self, order_id: UUID, positions: Sequence[int]) -> OrderAccounts:
        return OrderAccounts(await self._postings(order_id), await self._covering(positions), positions)

    async def _postings(self, order_id: UUID) -> Sequence[Row] | None:
        try:
            return (await self.views.read(LEDGER, lambda connection: postings_of_order(connection, order_id)))[1]
        except (SQLAlchemyError, RebuildNeeded, TimeoutError, Busy):
            return None

    async def _covering(self, positions: Sequence[int]) -> Mapping[int, Seal] | None:
        try:
            return await self.seals.covering(positions)
        except (StoreFailed, SQLAlchemyError, TimeoutError, Busy):
            return None

"""A world for reconciliations: orders, the sandbox gateway that settles them, and the same moved clock for both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from api.bootstrap import authorizenet_config
from application.adapters.authorizenet.settlements import AuthorizeNetSettlements
from application.audit.reconciliation.breaks import Breaks
from application.audit.reconciliation.reconcile import GRACE, Reconcile, Reconciled
from domain.settlement_break import SettlementBreak
from tests.application.background_world import BackgroundWorld, background_world

DAY_S = 86_400.0
ACTOR = "operator:fay"


def no_progress(what: str, done: int, of: int) -> None:
    """Nobody watches."""


@dataclass
class SettlementWorld:
    world: BackgroundWorld
    settlements: AuthorizeNetSettlements
    began: datetime
    orders: list[tuple[UUID, str]] = field(default_factory=list)  # that a test wants to find again

    @property
    def breaks(self) -> Breaks:
        return Breaks(self.world.service.events, self.world.clock)

    async def plant(self, fault: str, transaction_id: str | None = None, **wish: Any) -> str:
        """Given a fault of settlement; the transaction at fault."""
        about = {} if transaction_id is None else {"transId": transaction_id}
        status, answer = await self.world.gateway.post("/_ledger/plant", {"fault": fault, **about, **wish})
        assert status == 200, answer
        return str(answer["transId"])

    async def charged(self, count: int = 1) -> list[tuple[UUID, str]]:
        """Given orders that were charged: id and transaction of each."""
        orders = [await self.world.placed() for _ in range(count)]
        return [(order_id, await self.world.transaction_id(order_id)) for order_id in orders]

    async def settle(self, days: float = 0) -> str:
        """When the gateway closes a batch, so many days later; its id."""
        self.world.clock.advance(days * DAY_S)
        return str((await self.world.gateway.post("/_ledger/settle"))[1]["batchId"])

    async def reconcile(
        self, *, first: datetime | None = None, last: datetime | None = None, grace: timedelta = GRACE
    ) -> Reconciled:
        """When everything since the beginning is reconciled."""
        run = Reconcile(self.world.service.events, self.settlements, self.world.clock)
        now = self.world.clock.now()
        return await run(
            first or self.began,
            last or now + timedelta(days=1),
            actor=ACTOR,
            request="cmd_test",
            progress=no_progress,
            grace=grace,
        )

    async def head(self) -> int:
        return await self.world.service.events.recorder.max_position()


@asynccontextmanager
async def settlement_world(database_url: str, *, page_size: int = 1000) -> AsyncIterator[SettlementWorld]:
    async with background_world(database_url) as world:
        settlements = AuthorizeNetSettlements(authorizenet_config(world.service.settings), page_size=page_size)
        try:
            yield SettlementWorld(world, settlements, world.clock.now() - timedelta(hours=1))
        finally:
            await settlements.close()


def named(breaks: Sequence[SettlementBreak]) -> list[tuple[str, str]]:
    """Class and transaction of each."""
    return sorted(
        (known.found.classification.value, known.found.transaction_id or "") for known in breaks if known.found
    )

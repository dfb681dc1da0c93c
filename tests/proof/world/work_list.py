"""The work list and the invoice index, as one process sees them.

Leases run on the world's own time, which stands for the database's clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from application.event_log import StoreUnavailable
from application.reconciler import KnownPayment
from application.work import WorkItem, WorkKind
from tests.proof.world.read_models import Item, wake

if TYPE_CHECKING:
    from tests.proof.world.process import Process


class ProcessWorkList:
    """The `WorkList` and the `InvoiceIndex` of one process."""

    def __init__(self, process: Process, owner: str) -> None:
        self._owner = owner
        self._world = process.world
        self._models = process.world.models
        self._loop = process.world.loop
        self._claimed: asyncio.Future[None] | None = None

    async def until_claimed(self) -> None:
        """Wait until the owner has claimed something; no longer if it holds something already."""
        if not any(item.owner == self._owner for item in self._models.items.values()):
            self._claimed = self._loop.create_future()
            await self._claimed

    async def claim(self, owner: str, limit: int, lease_s: float) -> Sequence[WorkItem]:
        await self._turn()
        now_s = self._loop.now_s
        due = [
            (item.due_s, key)
            for key, item in self._models.items.items()
            if item.due_s is not None and item.due_s <= now_s and (item.owner is None or item.lease_until_s < now_s)
        ]
        claimed = []
        for _, key in sorted(due, key=lambda pair: pair[0])[:limit]:
            item = self._models.items[key]
            item.owner, item.lease_until_s = owner, now_s + lease_s
            claimed.append(WorkItem(*key, item.tries, item.ticket))
        if claimed and self._claimed is not None:
            wake(self._claimed)
        return claimed

    async def renew(self, owner: str, items: Sequence[WorkItem], lease_s: float) -> None:
        await self._turn()
        named = {(item.order_id, item.kind) for item in items}
        for key, item in self._models.items.items():
            if key in named and item.owner == owner and item.lease_until_s >= self._loop.now_s:
                item.lease_until_s = self._loop.now_s + lease_s

    async def finish(self, owner: str, item: WorkItem) -> None:
        await self._turn()
        known = self._models.items.get((item.order_id, item.kind))
        if known is not None and known.owner == owner:
            if known.ticket == item.ticket:
                del self._models.items[item.order_id, item.kind]
            else:
                self._give_back(known)

    async def postpone(self, owner: str, item: WorkItem, after_s: float | None) -> None:
        await self._turn()
        known = self._models.items.get((item.order_id, item.kind))
        if known is not None and known.owner == owner:
            if known.ticket == item.ticket:
                known.due_s = None if after_s is None else self._loop.now_s + after_s
                known.tries += 1
            self._give_back(known)

    async def poke(self, order_id: UUID, kind: WorkKind) -> None:
        raise AssertionError("no webhooks come in this world")

    async def position(self) -> int:
        await self._turn()
        return self._models.position

    async def by_invoice(self, invoice_numbers: Sequence[str]) -> Mapping[str, KnownPayment]:
        await self._turn()
        return self._models.known(invoice_numbers)

    def _give_back(self, item: Item) -> None:
        item.owner = None
        self._models.bring_forward(item.free_at_s())

    async def _turn(self) -> None:
        await self._loop.sleep(self._world.plan.database_s())
        if self._world.plan.database_down():
            raise StoreUnavailable("down")

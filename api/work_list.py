"""The work list of the background workers, kept in the database of the read models."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from application.adapters.sql import SqlThreads
from application.work import WorkItem, WorkKind
from projections import open_work


class SqlWorkList:
    """The `WorkList` of all processes that share a database."""

    def __init__(self, engine: sa.Engine) -> None:
        self._sql = SqlThreads(engine, "work", threads=2)

    async def claim(self, owner: str, limit: int, lease_s: float) -> Sequence[WorkItem]:
        rows = await self._sql.transaction(lambda connection: open_work.claim(connection, owner, limit, lease_s))
        return [WorkItem(row["order_id"], WorkKind(row["kind"]), row["tries"], row["ticket"]) for row in rows]

    async def renew(self, owner: str, items: Sequence[WorkItem], lease_s: float) -> None:
        named = [(item.order_id, item.kind.value) for item in items]
        await self._sql.transaction(lambda connection: open_work.renew(connection, owner, named, lease_s))

    async def finish(self, owner: str, item: WorkItem) -> None:
        await self._sql.transaction(
            lambda connection: open_work.finish(connection, owner, item.order_id, item.kind.value, item.ticket)
        )

    async def postpone(self, owner: str, item: WorkItem, after_s: float | None) -> None:
        await self._sql.transaction(
            lambda connection: open_work.postpone(
                connection, owner, item.order_id, item.kind.value, item.ticket, after_s
            )
        )

    async def poke(self, order_id: UUID, kind: WorkKind) -> None:
        await self._sql.transaction(lambda connection: open_work.poke(connection, order_id, kind.value))

    async def close(self) -> None:
        await self._sql.close()

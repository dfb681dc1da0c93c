"""Which seal covers an event, and how sealing stands: for readers on the event loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from application.adapters.seals.store import SqlSealStore
from application.adapters.sql import SqlThreads
from application.audit.seals.checkpoint import Checkpoint
from application.ports.seals import Seal

STALE_S = 10.0  # a sealer says that it is there far more often


@dataclass(frozen=True)
class SealStatus:
    """The last seal, who seals, and whether anybody does."""

    last: Checkpoint | None
    sealer: str
    heard_of_s: float | None  # ago
    problem: str | None  # why sealing has stopped

    @property
    def stale(self) -> bool:
        return self.heard_of_s is None or self.heard_of_s > STALE_S


class SqlSeals:
    """The `Seals` of a migrated database; `engine` is its own. Raises StoreFailed, TimeoutError, Busy."""

    def __init__(self, engine: sa.Engine) -> None:
        self._store = SqlSealStore(engine)
        self._sql = SqlThreads(engine, "seals", threads=2)

    async def covering(self, positions: Sequence[int]) -> Mapping[int, Seal]:
        return await self._sql.run_blocking(lambda: self._covering(positions))

    async def status(self) -> SealStatus:
        return await self._sql.run_blocking(lambda: read_status(self._store))

    async def close(self) -> None:
        await self._sql.close()

    def _covering(self, positions: Sequence[int]) -> dict[int, Seal]:
        found: dict[int, Seal] = {}
        seal: Seal | None = None
        for position in sorted(set(positions)):
            if seal is None or seal.position < position:
                covering = self._store.covering(position)
                if covering is None:
                    break
                head = covering.checkpoint
                seal = Seal(head.tree_size, head.position, head.root.hex(), head.sealed_at)
            found[position] = seal
        return found


def read_status(store: SqlSealStore) -> SealStatus:
    """Blocks."""
    last = store.last()
    return SealStatus(last.checkpoint if last else None, *store.sealer())

"""The seals in SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from application.adapters.seals.tables import checkpoints, logs, nodes, placed, sealers
from application.audit.seals.checkpoint import Checkpoint, origin_of
from application.audit.seals.merkle import STORED_LEVEL, Node, perfect_hash
from application.audit.seals.storing import Leaf, StoredSeal, StoreFailed

LOCK = 0x6F72_6465_7273_0003  # "orders", 3: a key of PostgreSQL's advisory locks


class SqlSealStore:
    """The `SealStore` of a migrated database; `engine` is its own, and closed with it."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = placed(engine)
        self._writer = self._engine.execution_options(immediate=True)

    def close(self) -> None:
        self._engine.dispose()

    @cached_property
    def log_id(self) -> UUID:
        with self._connected() as connection:
            found: UUID = connection.execute(sa.select(logs.c.log_id)).scalar_one()
            return found

    # --- reading ------------------------------------------------------------------------------------------------------

    def last(self) -> StoredSeal | None:
        return self._first(sa.select(checkpoints).order_by(checkpoints.c.tree_size.desc()))

    def covering(self, position: int) -> StoredSeal | None:
        return self._first(
            sa.select(checkpoints).where(checkpoints.c.position >= position).order_by(checkpoints.c.position)
        )

    def newest(self, limit: int) -> Sequence[StoredSeal]:
        """The last seals, the newest first."""
        query = sa.select(checkpoints).order_by(checkpoints.c.tree_size.desc()).limit(limit)
        with self._connected() as connection:
            return [self._seal(row) for row in connection.execute(query)]

    def seals(self, after_size: int, limit: int) -> Sequence[StoredSeal]:
        query = sa.select(checkpoints).where(checkpoints.c.tree_size > after_size).order_by(checkpoints.c.tree_size)
        with self._connected() as connection:
            return [self._seal(row) for row in connection.execute(query.limit(limit))]

    def nodes(self, level: int, start: int, limit: int) -> Sequence[Node]:
        here = (nodes.c.level == level, nodes.c.number >= start)
        with self._connected() as connection:
            found = connection.execute(sa.select(nodes).where(*here).order_by(nodes.c.number).limit(limit))
            return [Node(row.level, row.number, row.hash) for row in found]

    def node(self, level: int, number: int) -> bytes:
        if level < STORED_LEVEL:
            return perfect_hash([leaf.hash for leaf in self.leaves(number << level, number + 1 << level)])
        found = next(iter(self.nodes(level, number, 1)), None)
        if found is None or found.number != number:
            raise LookupError(f"the node {level}/{number} is not stored")
        return found.hash

    def leaves(self, start: int, end: int) -> list[Leaf]:
        found: list[Leaf] = []
        at = start
        while at < end:
            seal = next(iter(self.seals(at, 1)), None)
            if seal is None or not seal.start <= at:
                raise LookupError(f"the leaf {at} is not stored")
            found += seal.leaves()[at - seal.start : end - seal.start]
            at = seal.checkpoint.tree_size
        return found

    # --- writing ------------------------------------------------------------------------------------------------------

    def append(self, base_size: int, seals: Sequence[StoredSeal], new_nodes: Sequence[Node]) -> bool:
        with self._exclusively() as connection:
            size = connection.execute(sa.select(sa.func.coalesce(sa.func.max(checkpoints.c.tree_size), 0))).scalar_one()
            if size != base_size:
                return False
            connection.execute(checkpoints.insert(), [_row(seal) for seal in seals])
            if new_nodes:
                connection.execute(nodes.insert(), [node._asdict() for node in new_nodes])
        return True

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        with self._exclusively():
            yield

    def lead(self, owner: str, lease_s: float) -> bool:
        with self._exclusively() as connection:
            now_s = _clock_s(connection)
            free = sa.or_(sealers.c.owner == owner, sealers.c.until_s < now_s)
            taken = sealers.update().where(free).values(owner=owner, until_s=now_s + lease_s, seen_s=now_s)
            return connection.execute(taken).rowcount == 1

    def step_down(self, owner: str) -> None:
        with self._exclusively() as connection:
            connection.execute(sealers.update().where(sealers.c.owner == owner).values(until_s=0.0))

    def note_problem(self, problem: str | None) -> None:
        with self._exclusively() as connection:
            connection.execute(sealers.update().values(problem=problem))

    def sealer(self) -> tuple[str, float | None, str | None]:
        """Who seals or sealed last, how many seconds ago it was heard of, and why sealing stands still."""
        with self._connected() as connection:
            row = connection.execute(sa.select(sealers)).one()
            age_s = max(0.0, _clock_s(connection) - row.seen_s) if row.seen_s else None
            return row.owner, age_s, row.problem

    # --- inside -------------------------------------------------------------------------------------------------------

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise StoreFailed(type(error).__name__) from error

    @contextmanager
    def _exclusively(self) -> Iterator[sa.Connection]:
        try:
            with self._writer.begin() as connection:
                if connection.dialect.name == "postgresql":
                    connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
                yield connection
        except SQLAlchemyError as error:
            raise StoreFailed(type(error).__name__) from error

    def _first(self, query: sa.Select[Any]) -> StoredSeal | None:
        with self._connected() as connection:
            row = connection.execute(query.limit(1)).first()
        return None if row is None else self._seal(row)

    def _seal(self, row: sa.Row[Any]) -> StoredSeal:
        head = Checkpoint(origin_of(self.log_id), row.tree_size, row.root, row.position, row.sealed_at)
        return StoredSeal(head, row.note, row.hashes, row.positions)


def _row(seal: StoredSeal) -> dict[str, Any]:
    head = seal.checkpoint
    return {
        "tree_size": head.tree_size,
        "position": head.position,
        "root": head.root,
        "sealed_at": head.sealed_at,
        "note": seal.note,
        "hashes": seal.hashes,
        "positions": seal.positions,
    }


def _clock_s(connection: sa.Connection) -> float:
    if connection.dialect.name == "postgresql":
        return float(connection.execute(sa.text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
    return float(connection.execute(sa.text("SELECT (julianday('now') - 2440587.5) * 86400.0")).scalar_one())

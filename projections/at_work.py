"""Who is at work on what: the open work by kind and order, and the leases that keep processes apart. For people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa

from projections.leases import clock_s, leases
from projections.open_work import open_work
from projections.storage import Storage


@dataclass(frozen=True)
class OpenItem:
    """An order that somebody has to look at. Times are the database's clock, UTC."""

    order_id: UUID
    kind: str
    since: datetime
    due: datetime | None  # None: only news brings it back
    tries: int
    owner: str | None  # whose hands it is in now

    @property
    def given_up(self) -> bool:
        return self.due is None


@dataclass(frozen=True)
class Lease:
    """A thing that one process at a time does."""

    name: str
    owner: str
    heard_s: float  # since its owner last said that it is there
    expired: bool


@dataclass(frozen=True)
class Crew:
    """One kind of work: how much is open, due and in hand."""

    kind: str
    open: int
    due: int
    in_hand: int
    given_up: int
    oldest_since: datetime


def crews(connection: sa.Connection) -> list[Crew]:
    """The kinds of work of which there is any, by name."""
    now_s = clock_s(connection)
    held = sa.and_(open_work.c.owner.is_not(None), open_work.c.lease_until_s >= now_s)
    numbers = (
        sa.func.count(),
        sa.func.count().filter(open_work.c.due_s <= now_s),
        sa.func.count().filter(held),
        sa.func.count().filter(open_work.c.due_s.is_(None)),
        sa.func.min(open_work.c.since_s),
    )
    query = sa.select(open_work.c.kind, *numbers).group_by(open_work.c.kind).order_by(open_work.c.kind)
    return [
        Crew(kind, open_, due, in_hand, given_up, _at(oldest_s))
        for kind, open_, due, in_hand, given_up, oldest_s in connection.execute(query)
    ]


def open_items(connection: sa.Connection, kind: str, limit: int) -> list[OpenItem]:
    """Of one kind, the longest open first; one more than the limit if there are more."""
    query = sa.select(open_work).where(open_work.c.kind == kind).order_by(open_work.c.since_s, open_work.c.order_id)
    return _items(connection, query.limit(limit + 1))


def items_of(connection: sa.Connection, kind: str, order_ids: Sequence[UUID]) -> dict[UUID, OpenItem]:
    """The open items of these orders."""
    query = sa.select(open_work).where(open_work.c.kind == kind, open_work.c.order_id.in_(order_ids))
    return {item.order_id: item for item in _items(connection, query)}


def owners(connection: sa.Connection) -> dict[str, int]:
    """The workers that hold anything now, and how many items."""
    held = (open_work.c.owner.is_not(None), open_work.c.lease_until_s >= clock_s(connection))
    query = sa.select(open_work.c.owner, sa.func.count()).where(*held).group_by(open_work.c.owner)
    return {owner: int(number) for owner, number in connection.execute(query)}


def all_leases(connection: sa.Connection) -> list[Lease]:
    """By name, also those that ran out."""
    now_s = clock_s(connection)
    return [
        Lease(row.name, row.owner, max(0.0, now_s - row.seen_s), row.until_s < now_s)
        for row in connection.execute(sa.select(leases).order_by(leases.c.name))
    ]


def _items(connection: sa.Connection, query: sa.Select[tuple[object, ...]]) -> list[OpenItem]:
    now_s = clock_s(connection)
    return [
        OpenItem(
            order_id=row.order_id,
            kind=row.kind,
            since=_at(row.since_s),
            due=None if row.due_s is None else _at(row.due_s),
            tries=row.tries,
            owner=row.owner if row.owner and (row.lease_until_s or 0) >= now_s else None,
        )
        for row in connection.execute(query)
    ]


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@dataclass(frozen=True)
class AtWork:
    """All of it at one moment."""

    crews: tuple[Crew, ...]
    owners: dict[str, int]
    leases: tuple[Lease, ...]


def read_at_work(storage: Storage) -> AtWork:
    """Blocks. Raises SQLAlchemyError."""
    with storage.control.connect() as connection:
        return AtWork(tuple(crews(connection)), owners(connection), tuple(all_leases(connection)))

"""Open work: which orders somebody has to look at, and when. The log adds and removes; workers lease and postpone.

An item only says "look at this order"; what is to be done is in the order's own stream. Due times come from the events,
leases run on the database's clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from domain.order import Order
from domain.policy import Policy
from domain.stream import Stream, topics_of
from projections.applying import Target, insert_for
from projections.leases import clock_s
from projections.model import Recorded, Undecodable
from projections.registry import control
from projections.sessions import Sql, sql_of
from projections.storage import Place

PAYMENT, CORRECTION, EMAIL, RECONCILE = KINDS = "payment", "correction", "email", "reconcile"
EVERYTHING = UUID(int=0)  # stands for "all orders" in the one item of kind reconcile
OWN_TRY_S = 10.0  # who asks for a correction tries it at once; the workers look after that

# Times are Unix seconds: due times are compared with the database's clock, whose text forms differ.
open_work = sa.Table(
    "open_work",
    control,
    sa.Column("order_id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.String(20), primary_key=True),
    sa.Column("due_s", sa.Float, index=True),  # null: only news brings it back
    sa.Column("since_s", sa.Float, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False, default=0),
    sa.Column("ticket", sa.BigInteger, nullable=False),  # grows with every news
    sa.Column("owner", sa.String(64)),
    sa.Column("lease_until_s", sa.Float),
)


@dataclass(frozen=True)
class Due:
    """Work that an event makes: look at the order from then on."""

    kind: str
    at: datetime


@dataclass(frozen=True)
class Done:
    """Work that an event ends."""

    kind: str


_BEGINS: Mapping[type[Stream.Event], tuple[str, Callable[[Policy], float]]] = {
    Order.PaymentAttempted: (PAYMENT, lambda policy: policy.charge_time_s),
    Order.PaymentOutcomeUnknown: (PAYMENT, lambda _: 0.0),
    Order.PaymentHeld: (PAYMENT, lambda _: 0.0),
    Order.Submitted: (EMAIL, lambda policy: policy.outbox_begins_s),
    Order.EmailResendRequested: (EMAIL, lambda _: 0.0),
    Order.VoidRequested: (CORRECTION, lambda _: OWN_TRY_S),
    Order.RefundRequested: (CORRECTION, lambda _: OWN_TRY_S),
}
_ENDS: Mapping[type[Stream.Event], Done] = {
    Order.PaymentCharged: Done(PAYMENT),
    Order.PaymentDeclined: Done(PAYMENT),
    Order.PaymentFailed: Done(PAYMENT),
    Order.PaymentNotSent: Done(PAYMENT),
    Order.PaymentExpired: Done(PAYMENT),
    Order.EmailSent: Done(EMAIL),
}
_FIRST_OF_ITS_KIND = frozenset({Order.PaymentAttempted, Order.Submitted})  # nothing of the kind was open before
_WORK_OF: Mapping[type, str] = {kind: work for kind, (work, _) in _BEGINS.items()} | {
    kind: done.kind for kind, done in _ENDS.items()
}
WORK: frozenset[type[Stream.Event]] = frozenset(_BEGINS.keys() | _ENDS.keys())


def work_after(event: Stream.Event, policy: Policy) -> Due | Done | None:
    """What an event means for the work on its order."""
    kind = type(event)
    if kind in _BEGINS:
        work, after_s = _BEGINS[kind]
        return Due(work, event.timestamp + timedelta(seconds=after_s(policy)))
    return _ENDS.get(kind)


# A row is news for the one that is there: its ticket is another than before, also after a poke between two positions.
_NEWS = (
    "INSERT INTO open_work (order_id, kind, due_s, since_s, tries, ticket) {source} ON CONFLICT (order_id, kind)"
    " DO UPDATE SET due_s = excluded.due_s, tries = 0, ticket ="
    " CASE WHEN excluded.ticket > open_work.ticket + 1 THEN excluded.ticket ELSE open_work.ticket + 1 END"
)
_PUT = _NEWS.format(source="VALUES (?, ?, ?, ?, 0, ?)")
_PUT_ARRAYS = _NEWS.format(
    source="SELECT id, kind, due, since, 0, ticket FROM unnest(?::uuid[], ?::text[], ?::float8[], ?::float8[],"
    " ?::bigint[]) AS r(id, kind, due, since, ticket)"
)
_DELETE = "DELETE FROM open_work WHERE order_id = ? AND kind = ?"
_DELETE_ARRAYS = (
    "DELETE FROM open_work USING unnest(?::uuid[], ?::text[]) AS r(id, k) WHERE order_id = r.id AND kind = r.k"
)


class OpenWork(Target):
    """Keeps `open_work`. Workers write there too, so it is never rebuilt: it lies in the control database for good."""

    name = "open_work"
    place = Place(name, 0)
    topics = topics_of(WORK)

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def wanted(self, events: Sequence[Recorded]) -> list[Recorded]:
        return [recorded for recorded in events if type(recorded[1]) in WORK]

    def write(self, sql: Sql, batch: Sequence[Recorded], *, bulk: bool = False) -> None:
        """Work that is made and ended within one batch never reaches the table."""
        last: dict[tuple[int, str], Recorded] = {}  # by the number of the id, which hashes at once
        begun: set[tuple[int, str]] = set()
        for recorded in batch:
            event = recorded[1]
            if work := _WORK_OF.get(type(event)):
                item = (event.originator_id.int, work)
                if item not in last and type(event) in _FIRST_OF_ITS_KIND:
                    begun.add(item)
                last[item] = recorded
        due, done = list[tuple[UUID, str, float, int]](), list[tuple[UUID, str]]()
        for item, (position, event) in last.items():
            assert not isinstance(event, Undecodable), "it is none of those that mean work"
            change = work_after(event, self._policy)
            if isinstance(change, Due):
                due.append((event.originator_id, change.kind, change.at.timestamp(), position))
            elif item not in begun:
                done.append((event.originator_id, item[1]))
        put_all(sql, due)
        _delete(sql, done)


def put_all(sql: Sql, news: Sequence[tuple[UUID, str, float, int]]) -> None:
    """Order, kind, due time, and the position of the news: add the items, or tell those that are there."""
    rows = [(order_id, kind, due_s, due_s, ticket) for order_id, kind, due_s, ticket in news]
    if sql.is_postgresql and rows:
        sql.run(_PUT_ARRAYS, [list(column) for column in zip(*rows, strict=True)])
    elif rows:
        sql.many(_PUT, [(order_id.hex, *rest) for order_id, *rest in rows])


def _delete(sql: Sql, items: Sequence[tuple[UUID, str]]) -> None:
    if sql.is_postgresql and items:
        sql.run(_DELETE_ARRAYS, [list(column) for column in zip(*items, strict=True)])
    elif items:
        sql.many(_DELETE, [(order_id.hex, kind) for order_id, kind in items])


def put(connection: sa.Connection, order_id: UUID, kind: str, due_s: float, ticket: int) -> None:
    """Add the item, or tell the one that is there of the news. `ticket`: the position of the news."""
    with sql_of(connection) as sql:
        put_all(sql, [(order_id, kind, due_s, ticket)])


def claim(connection: sa.Connection, owner: str, limit: int, lease_s: float) -> list[dict[str, Any]]:
    """Lease what is due and free to the owner. Kinds that we do not know belong to another version's workers."""
    now = clock_s(connection)
    free = sa.or_(open_work.c.lease_until_s.is_(None), open_work.c.lease_until_s < now)
    due = (
        sa.select(open_work.c.order_id, open_work.c.kind)
        .where(open_work.c.due_s <= now, free, open_work.c.kind.in_(KINDS))
        .order_by(open_work.c.due_s)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = (
        open_work.update()
        .where(sa.tuple_(open_work.c.order_id, open_work.c.kind).in_(due))
        .values(owner=owner, lease_until_s=now + lease_s)
        .returning(open_work.c.order_id, open_work.c.kind, open_work.c.tries, open_work.c.ticket)
    )
    return [dict(row._mapping) for row in connection.execute(statement)]


def renew(connection: sa.Connection, owner: str, items: Sequence[tuple[UUID, str]], lease_s: float) -> None:
    """Keep those of the items that the owner holds and has not lost."""
    now = clock_s(connection)
    named = sa.tuple_(open_work.c.order_id, open_work.c.kind).in_(items)
    held = (named, open_work.c.owner == owner, open_work.c.lease_until_s >= now)
    connection.execute(open_work.update().where(*held).values(lease_until_s=now + lease_s))


def finish(connection: sa.Connection, owner: str, order_id: UUID, kind: str, ticket: int) -> None:
    """Remove the item unless there was news; then only give it back."""
    ours = (*_is(order_id, kind), open_work.c.owner == owner)
    connection.execute(open_work.delete().where(*ours, open_work.c.ticket == ticket))
    connection.execute(open_work.update().where(*ours).values(owner=None, lease_until_s=None))


def postpone(
    connection: sa.Connection, owner: str, order_id: UUID, kind: str, ticket: int, after_s: float | None
) -> None:
    """Give the item back until later; news that came meanwhile keeps its own due time."""
    ours = (*_is(order_id, kind), open_work.c.owner == owner)
    due_s = None if after_s is None else clock_s(connection) + after_s
    later = {"due_s": due_s, "tries": open_work.c.tries + 1}
    connection.execute(open_work.update().where(*ours, open_work.c.ticket == ticket).values(later))
    connection.execute(open_work.update().where(*ours).values(owner=None, lease_until_s=None))


def poke(connection: sa.Connection, order_id: UUID, kind: str) -> None:
    """Look at it now, if it is open at all; whoever looks at it at this moment shall look again."""
    news = {"due_s": clock_s(connection), "tries": 0, "ticket": open_work.c.ticket + 1}
    connection.execute(open_work.update().where(*_is(order_id, kind)).values(news))


def standing(connection: sa.Connection) -> None:
    """The item that never ends: comparing the gateway with the log."""
    now_s = datetime.now(UTC).timestamp()
    row = {"order_id": EVERYTHING, "kind": RECONCILE, "due_s": now_s, "since_s": now_s, "tries": 0, "ticket": 0}
    connection.execute(insert_for(connection, open_work).values(row).on_conflict_do_nothing())


def _is(order_id: UUID, kind: str) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return (open_work.c.order_id == order_id, open_work.c.kind == kind)

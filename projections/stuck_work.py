"""Open work that nobody has done for too long: a question to the table of `open_work.py`."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from projections.leases import clock_s
from projections.open_work import RECONCILE, open_work


@dataclass(frozen=True)
class Backlog:
    """The work of one kind."""

    kind: str
    items: int
    overdue: int  # due for longer than asked, and nobody is at it
    oldest_s: float  # how long ago the oldest began


def read_backlog(connection: sa.Connection, late_after_s: float) -> list[Backlog]:
    """By kind, without the comparing that never ends."""
    now_s = clock_s(connection)
    idle = sa.or_(open_work.c.lease_until_s.is_(None), open_work.c.lease_until_s < now_s)
    late = sa.case((sa.and_(open_work.c.due_s < now_s - late_after_s, idle), 1), else_=0)
    query = (
        sa.select(open_work.c.kind, sa.func.count(), sa.func.sum(late), sa.func.min(open_work.c.since_s))
        .where(open_work.c.kind != RECONCILE)
        .group_by(open_work.c.kind)
        .order_by(open_work.c.kind)
    )
    rows = connection.execute(query).all()
    return [Backlog(kind, items, int(overdue), max(0.0, now_s - since_s)) for kind, items, overdue, since_s in rows]

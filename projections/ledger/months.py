"""The months that the journal spans."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from projections.ledger.periods import month_of, next_month
from projections.ledger.tables import entries


def months_through(connection: sa.Connection, now: datetime) -> list[str]:
    """Every month (UTC) from the first entry's to the present one, newest first; none where nothing is booked."""
    first = sa.select(entries.c.period).order_by(entries.c.position).limit(1)
    month = connection.execute(first).scalar()
    found: list[str] = []
    while month is not None and month <= month_of(now):
        found.append(month)
        month = next_month(month)
    return found[::-1]

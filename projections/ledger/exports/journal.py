"""The journal as the writers take it: one entry after the other, in the order of the log."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple, Protocol
from uuid import UUID

import sqlalchemy as sa

from domain.pricing import CURRENCY as CURRENCY
from projections.ledger.balances import Selection
from projections.ledger.rules import Posting
from projections.ledger.tables import entries, postings

FETCH = 2_000  # rows at a time
_COLUMNS = ("period", "recorded_at", "effective_at", "topic", "stream_id", "rule", "rule_version")


class Entry(NamedTuple):
    position: int
    period: str
    recorded_at: datetime  # UTC
    effective_at: datetime  # UTC
    topic: str
    stream_id: UUID
    rule: str
    rule_version: int
    postings: tuple[Posting, ...]

    @property
    def day(self) -> date:
        """The day (UTC) that it is booked on."""
        return self.recorded_at.date()


class Writer(Protocol):
    """Writes one file. Made with the path and the accounts that the entries use, with the day of each one's first."""

    def __init__(self, file: Path, accounts: Sequence[tuple[str, date]]) -> None: ...

    def add(self, entry: Entry) -> None: ...

    def close(self) -> None:
        """Finish the file."""
        ...


def read_entries(connection: sa.Connection, selection: Selection) -> Generator[Entry]:
    """The selected entries in the order of the log, read as they are taken; close it where not all are."""
    columns = (postings.c.position, postings.c.account, postings.c.amount_cents, postings.c.item)
    query = sa.select(*columns, *(entries.c[name] for name in _COLUMNS))
    query = query.join(entries, entries.c.position == postings.c.position).where(*selection.conditions())
    options = {"stream_results": True, "max_row_buffer": FETCH}
    ordered = query.order_by(postings.c.position, postings.c.line)
    with connection.execute(ordered, execution_options=options) as found:
        for position, rows in groupby(found, itemgetter(0)):
            lines = list(rows)
            yield Entry._make((position, *lines[0][4:], tuple([Posting(*line[1:4]) for line in lines])))


def count_entries(connection: sa.Connection, selection: Selection, most: int | None = None) -> int:
    """How many entries are selected; counted no further than `most`."""
    one = postings.c.line == 1  # every entry has a first line
    selected = selection.joined(sa.select(postings.c.position).where(one)).limit(most).subquery()
    return int(connection.execute(sa.select(sa.func.count()).select_from(selected)).scalar_one())


def accounts_used(connection: sa.Connection, selection: Selection) -> list[tuple[str, date]]:
    """The accounts of the selected entries, by name, each with the day of its first one."""
    first = sa.func.min(entries.c.recorded_at, type_=entries.c.recorded_at.type)
    query = sa.select(postings.c.account, first).join(entries, entries.c.position == postings.c.position)
    query = query.where(*selection.conditions()).group_by(postings.c.account)
    return sorted((account, at.date()) for account, at in connection.execute(query))


def amount_text(cents: int) -> str:
    """Exactly two places, no thousands separator: 1850 → 18.50, -5 → -0.05."""
    whole, part = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}.{part:02}"


def utc_text(at: datetime) -> str:
    """ISO 8601 with a Z, to the microsecond."""
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")

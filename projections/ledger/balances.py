"""What the accounts stand at: the trial balance at any instant, and the open items that make up a balance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from projections.ledger.accounts import BANK_IN_TRANSIT, CLEARING
from projections.ledger.tables import daily, entries, postings
from projections.model import Row
from projections.paging import Span

At = int | datetime | None
"""Up to and with a position of the log; or up to and without an instant (UTC); None: everything."""


@dataclass(frozen=True)
class Selection:
    """Some of the journal's entries: all conditions hold. `effective`: the span is held against the effective time
    instead of the recorded one."""

    span: Span = Span()  # noqa: RUF009  # it is immutable
    through: int | None = None  # position of the last entry
    period: str | None = None  # the month that an entry is booked in, as 2026-10
    effective: bool = False

    @classmethod
    def at(cls, at: At, *, effective: bool = False) -> Selection:
        if isinstance(at, int):
            return cls(through=at, effective=effective)
        return cls(Span(end=at), effective=effective)

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """For a query over postings and entries."""
        moment = entries.c.effective_at if self.effective else entries.c.recorded_at
        return [
            *self.span.of(moment),
            *([postings.c.position <= self.through] if self.through is not None else []),
            *([entries.c.period == self.period] if self.period is not None else []),
        ]

    def joined(self, query: sa.Select[Any]) -> sa.Select[Any]:
        """A query over the postings, held to the selection; the entries come in only where they are needed."""
        if self.span != Span() or self.period is not None:
            query = query.join_from(postings, entries, postings.c.position == entries.c.position)
        return query.where(*self.conditions())


EVERYTHING = Selection()


def trial_balance(connection: sa.Connection, selection: Selection = EVERYTHING) -> list[Row]:
    """The accounts with their sums over the selection, in the order of their names: `debit_cents`, `credit_cents`, and
    `balance_cents`, which is their difference. Over whole entries the balances sum to zero."""
    sides: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for query in _summing(selection):
        for account, debit_cents, credit_cents in connection.execute(query):
            sides[account][0] += debit_cents
            sides[account][1] += credit_cents
    return [
        {"account": account, "debit_cents": debit, "credit_cents": credit, "balance_cents": debit - credit}
        for account, (debit, credit) in sorted(sides.items())
    ]


def _summing(selection: Selection) -> Iterator[sa.Select[Any]]:
    """By account, debits and credits: of whole days from their sums, of what begins or ends within a day, and of what
    is not held against time alone, from the postings."""
    first, last = _midnight_after(selection.span.start), _midnight_before(selection.span.end)
    if selection.through is not None or selection.period is not None or (first and last and first > last):
        yield _of_postings(selection)
        return
    day = daily.c.effective_day if selection.effective else daily.c.day
    sums = sa.select(daily.c.account, _sum(daily.c.debit_cents), _sum(daily.c.credit_cents))
    yield sums.where(*Span(first, last).of_day(day)).group_by(daily.c.account)
    if first != selection.span.start:
        yield _of_postings(replace(selection, span=Span(selection.span.start, first)))
    if last != selection.span.end:
        yield _of_postings(replace(selection, span=Span(last, selection.span.end)))


def _of_postings(selection: Selection) -> sa.Select[Any]:
    amount = postings.c.amount_cents
    debits, credits = (_sum(sa.case((side > 0, side), else_=0)) for side in (amount, -amount))
    return selection.joined(sa.select(postings.c.account, debits, credits)).group_by(postings.c.account)


def _midnight_before(at: datetime | None) -> datetime | None:
    return at and datetime.combine(at.astimezone(UTC).date(), time(), UTC)


def _midnight_after(at: datetime | None) -> datetime | None:
    before = _midnight_before(at)
    return before + timedelta(days=1) if before and before != at else before


def totals(balance: Sequence[Row]) -> dict[str, int]:
    """The bottom line of a trial balance: the two sides are equal, and the difference is zero."""
    return {name: sum(row[name] for row in balance) for name in ("debit_cents", "credit_cents", "balance_cents")}


def has_settlements(connection: sa.Connection) -> bool:
    """Whether any settlement of the gateway has been taken into the books."""
    return bool(connection.execute(sa.select(sa.exists().where(daily.c.account == BANK_IN_TRANSIT))).scalar_one())


def open_items(connection: sa.Connection, at: At = None, account: str = CLEARING) -> list[Row]:
    """What a balance is made of: the items that do not come to zero, oldest first; their sum is the balance.

    In the clearing account an item is a transaction: charged or refunded and not settled, or settled and not known
    here, or settled with another amount. `position` is that of its first entry, `recorded_at` its time.
    """
    first = sa.func.min(postings.c.position).label("position")
    query = sa.select(postings.c.item, _sum(postings.c.amount_cents).label("amount_cents"), first)
    query = Selection.at(at).joined(query.where(postings.c.account == account))
    found = query.group_by(postings.c.item).having(sa.func.sum(postings.c.amount_cents) != 0).subquery()
    columns = (found.c.item, found.c.amount_cents, found.c.position)
    about = (entries.c.stream_id, entries.c.rule, entries.c.recorded_at, entries.c.effective_at)
    items = sa.select(*columns, *about).join(entries, entries.c.position == found.c.position)
    return [dict(row) for row in connection.execute(items.order_by(found.c.position, found.c.item)).mappings()]


def _sum(column: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    return sa.cast(sa.func.coalesce(sa.func.sum(column), 0), sa.BigInteger)

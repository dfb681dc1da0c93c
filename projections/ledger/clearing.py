"""The clearing account for people: the oldest open items, with the number and the sum of all of them."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from projections.ledger.accounts import CLEARING
from projections.ledger.balances import At, Selection
from projections.ledger.tables import clearing_items, entries, postings
from projections.model import Row


class OpenItems(NamedTuple):
    """`items`: the oldest of them. `number` and `sum_cents` are of all; the sum is the account's balance."""

    items: list[Row]
    number: int
    sum_cents: int


def oldest_open_items(connection: sa.Connection, at: At, limit: int) -> OpenItems:
    """As `balances.open_items`, for a page: what is not shown stays in the database.

    What is open now is kept; what was open before is added up from the postings.
    """
    found = (_open_now() if at is None else _open_at(at)).subquery()
    totals = sa.func.count().over(), sa.cast(sa.func.sum(found.c.amount_cents).over(), sa.BigInteger)
    oldest = sa.select(found, totals[0].label("number"), totals[1].label("sum_cents"))
    shown = oldest.order_by(found.c.position, found.c.item).limit(limit).subquery()
    about = (entries.c.stream_id, entries.c.rule, entries.c.recorded_at, entries.c.effective_at)
    items = sa.select(shown, *about).join(entries, entries.c.position == shown.c.position)
    rows = [dict(row) for row in connection.execute(items.order_by(shown.c.position, shown.c.item)).mappings()]
    number, sum_cents = (rows[0]["number"], rows[0]["sum_cents"]) if rows else (0, 0)
    return OpenItems(rows, number, sum_cents)


_FIRST = sa.func.min(postings.c.position).label("position")


def _open_now() -> sa.Select[tuple[str, int, int]]:
    same = (postings.c.item == clearing_items.c.item, postings.c.account == CLEARING)
    first = sa.select(_FIRST).where(*same).scalar_subquery().label("position")
    return sa.select(clearing_items, first).where(clearing_items.c.amount_cents != 0)


def _open_at(at: At) -> sa.Select[tuple[str, int, int]]:
    amount = sa.cast(sa.func.sum(postings.c.amount_cents), sa.BigInteger)
    query = sa.select(postings.c.item, amount.label("amount_cents"), _FIRST)
    query = Selection.at(at).joined(query.where(postings.c.account == CLEARING))
    return query.group_by(postings.c.item).having(sa.func.sum(postings.c.amount_cents) != 0)

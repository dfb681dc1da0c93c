"""The journal, read: from a figure to its entries and their events, and all that was booked for one order."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from projections.ledger.accounts import CLEARING
from projections.ledger.balances import EVERYTHING, Selection
from projections.ledger.tables import entries, postings
from projections.model import Row
from projections.paging import Page, Span

_ABOUT = (
    entries.c.stream_id, entries.c.topic, entries.c.rule, entries.c.rule_version, entries.c.recorded_at,
    entries.c.effective_at, entries.c.period,
)  # fmt: skip


def find_postings(
    connection: sa.Connection,
    span: Span,
    page: Page,
    *,
    account: str | None = None,
    order_id: UUID | None = None,
    of: Selection = EVERYTHING,
) -> list[Row]:
    """Postings recorded in the span, newest first, each with its entry; one more than the page's limit if there are
    more. Cursor: `position`, `line`. `account` also stands for all below it. `of`: only what is selected besides."""
    query = _query().where(*span.of(entries.c.recorded_at), *of.conditions())
    if account is not None:
        below = postings.c.account.startswith(f"{account}:", autoescape=True)
        query = query.where(sa.or_(postings.c.account == account, below))
    if order_id is not None:
        query = query.where(postings.c.position.in_(_entries_of(order_id)))
    if page.after is not None:
        query = query.where(sa.tuple_(postings.c.position, postings.c.line) < sa.tuple_(*page.after))
    query = query.order_by(postings.c.position.desc(), postings.c.line.desc()).limit(page.limit + 1)
    return _rows(connection, query)


def postings_of_order(connection: sa.Connection, order_id: UUID) -> list[Row]:
    """All that was booked for an order, also the settlement of its transactions, in the order of the log."""
    query = _query().where(postings.c.position.in_(_entries_of(order_id)))
    return _rows(connection, query.order_by(postings.c.position, postings.c.line))


def _query() -> sa.Select[Any]:
    return sa.select(postings, *_ABOUT).join(entries, entries.c.position == postings.c.position)


def _entries_of(order_id: UUID) -> sa.Select[tuple[int]]:
    """The entries of the order's events, the others of the transactions that these put into clearing, and what was
    settled under the same invoice number: a chargeback is a transaction of its own."""
    own = sa.select(entries.c.position).where(entries.c.stream_id == order_id)
    items = sa.select(postings.c.item).where(postings.c.position.in_(own), postings.c.account == CLEARING)
    settled = sa.select(postings.c.position).where(postings.c.item.in_(items))
    invoices = sa.select(entries.c.invoice_number).where(
        entries.c.position.in_(settled), entries.c.invoice_number.is_not(None)
    )
    disputed = sa.select(entries.c.position).where(entries.c.invoice_number.in_(invoices))
    return sa.select(own.union(settled, disputed).subquery().c.position)


def _rows(connection: sa.Connection, query: sa.Select[Any]) -> list[Row]:
    return [
        {
            **row,
            "debit_cents": max(row["amount_cents"], 0),
            "credit_cents": max(-row["amount_cents"], 0),
        }
        for row in connection.execute(query).mappings()
    ]

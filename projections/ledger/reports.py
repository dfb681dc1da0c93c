"""The ledger as reports ask for it: pages of postings, and the trial balance by account."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from projections.ledger.balances import Selection, totals, trial_balance
from projections.ledger.entries import find_postings
from projections.model import Row
from projections.paging import Page, Span

RECORDED, EFFECTIVE = "recorded", "effective"
TIMES = (RECORDED, EFFECTIVE)


def find_booked(
    connection: sa.Connection, span: Span, page: Page, *, account: str | None = None, order_id: str | None = None
) -> list[Row]:
    """As `find_postings`; a text that is no id names no order."""
    if order_id is None:
        return find_postings(connection, span, page, account=account)
    try:
        return find_postings(connection, span, page, account=account, order_id=UUID(order_id))
    except ValueError:
        return []


def find_balances(connection: sa.Connection, span: Span, page: Page, *, time: str | None = None) -> list[Row]:
    """The accounts with their sums over the span; one more than the page's limit if there are more. Cursor:
    `account`."""
    rows = trial_balance(connection, Selection(span, effective=time == EFFECTIVE))
    after = page.after[0] if page.after is not None else ""
    return [row for row in rows if row["account"] > after][: page.limit + 1]


def sums_of_balances(connection: sa.Connection, span: Span, *, time: str | None = None) -> dict[str, Any]:
    """The bottom line, over all accounts."""
    return {"totals": totals(trial_balance(connection, Selection(span, effective=time == EFFECTIVE)))}

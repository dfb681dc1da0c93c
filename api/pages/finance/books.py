"""The books: trial balance at any instant, the postings behind a figure, and what the clearing account is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.pages.asking import PageQuery
from api.pages.csv_files import csv_response
from api.pages.failures import PageError
from api.pages.finance.asking import cursor_of, moment_of, span_of
from api.pages.reports.shape import decimal_text
from api.pages.shell import Shell
from api.pages.viewer import FINANCE_READERS
from api.read_models import LEDGER, ORDERS
from api.views_database import ViewsDatabase
from projections.ledger.accounts import CLEARING, meaning_of
from projections.ledger.balances import Selection, totals, trial_balance
from projections.ledger.clearing import OpenItems, oldest_open_items
from projections.ledger.entries import find_postings
from projections.ledger.rules import CHARGED, REFUNDED, UNEXPECTED, VOIDED
from projections.model import Row
from projections.orders import OrderFilter, find_orders
from projections.paging import Page

PAGE = 50
MAX_ITEMS = 100  # open items of a page; their number and sum are always of all
ACCOUNT_CHARS = 300
OF_ORDERS = {rule.id for rule in (CHARGED, VOIDED, REFUNDED, UNEXPECTED)}  # their events stand in an order's stream
RECORDED, EFFECTIVE = "recorded", "effective"
SIDES = ("debit_cents", "credit_cents", "balance_cents")


@dataclass(frozen=True)
class BooksPages:
    shell: Shell
    views: ViewsDatabase

    def routes(self) -> list[Route]:
        page = self.shell.page
        return [
            page("/finance", self.balance, FINANCE_READERS),
            page("/finance/trial-balance.csv", self.balance_csv, FINANCE_READERS),
            page("/finance/ledger", self.ledger, FINANCE_READERS),
            page("/finance/clearing", self.clearing, FINANCE_READERS),
        ]

    async def balance(self, request: Request) -> Response:
        position, rows, asked = await self._balance(request)
        return self.shell.render(
            request,
            "finance/balance.html",
            accounts=[{**row, "meaning": meaning_of(row["account"])} for row in rows],
            totals=totals(rows),
            position=position,
            **asked,
        )

    async def balance_csv(self, request: Request) -> Response:
        position, rows, _ = await self._balance(request)
        lines = ([row["account"], *(decimal_text(row[side]) for side in SIDES)] for row in rows)
        return csv_response(f"trial-balance-{position}", ["account", "debit", "credit", "balance"], lines)

    async def ledger(self, request: Request) -> Response:
        query = PageQuery(request, ("account", "order", "from", "to", "at", "time", "cursor"))
        of = _selection(query)
        account, order = query.text("account", ACCOUNT_CHARS), query.text("order")
        span, after = span_of(query), cursor_of(query.text("cursor"))
        order_id = await self._order_named(order) if order else None
        wanted = Page(PAGE, after)
        position, rows = await self.views.read(
            LEDGER,
            lambda connection: find_postings(connection, span, wanted, account=account, order_id=order_id, of=of),
        )
        last = rows[PAGE - 1] if len(rows) > PAGE else None
        return self.shell.render(
            request,
            "finance/ledger.html",
            postings=rows[:PAGE],
            account=account or "",
            order=order or "",
            query={name: value for name, value in query.given.items() if name != "cursor"},
            next_cursor=f"{last['position']}.{last['line']}" if last else None,
            first=after is None,
            position=position,
        )

    async def clearing(self, request: Request) -> Response:
        query = PageQuery(request, ("at",))
        at = moment_of(query.text("at"))

        def read(connection: sa.Connection) -> tuple[OpenItems, list[Row]]:
            return oldest_open_items(connection, at, MAX_ITEMS), trial_balance(connection, Selection.at(at))

        position, (found, accounts) = await self.views.read(LEDGER, read)
        balance_cents = next((row["balance_cents"] for row in accounts if row["account"] == CLEARING), 0)
        return self.shell.render(
            request,
            "finance/clearing.html",
            items=[{**row, "of_order": row["rule"] in OF_ORDERS} for row in found.items],
            number=found.number,
            sum_cents=found.sum_cents,
            balance_cents=balance_cents,
            account=CLEARING,
            at=query.text("at") or "",
            position=position,
            limit=MAX_ITEMS,
        )

    async def _balance(self, request: Request) -> tuple[int, list[Row], dict[str, Any]]:
        """The position it was read at, the accounts, and what was asked."""
        query = PageQuery(request, ("at", "time"))
        selection = _selection(query)
        position, rows = await self.views.read(LEDGER, lambda connection: trial_balance(connection, selection))
        time = EFFECTIVE if selection.effective else RECORDED
        return position, rows, {"at": query.text("at") or "", "time": time}

    async def _order_named(self, name: str) -> UUID:
        """Id, number, transaction, invoice or request of an order. Raises PageError."""
        wanted = OrderFilter(q=name, limit=2)
        found: Sequence[tuple[UUID, int]]
        _, found = await self.views.read(ORDERS, lambda connection: find_orders(connection, wanted))
        if not found:
            raise PageError(404, "No such order", "Give the id or the short number of an order.")
        return found[0][0]


def _selection(query: PageQuery) -> Selection:
    """What `at` and `time` ask for. Raises ApiError, PageError."""
    time = query.choice("time", (RECORDED, EFFECTIVE), RECORDED)
    return Selection.at(moment_of(query.text("at")), effective=time == EFFECTIVE)

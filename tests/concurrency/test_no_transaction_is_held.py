"""While a vendor is called no database transaction is open, and what is about to be done is already committed."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from api.sandbox.authorizenet.app import API_PATH
from tests.concurrency.directory import body
from tests.concurrency.world import run, selling, statuses

BUSY = """
SELECT state, query FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
AND (state <> 'idle' OR xact_start IS NOT NULL)
"""
INTENDED = "SELECT state FROM stored_events WHERE topic = 'order.payment-attempted.v1'"
SUBMITTED = "SELECT count(*) FROM stored_events WHERE topic = 'order.submitted.v1'"
INVOICE = re.compile(rb"<invoiceNumber>([A-Z2-7]{20})</invoiceNumber>")
ORDERS = 3

Look = Callable[[str], tuple[list[bytes], int]]


def in_postgresql(url: str) -> tuple[list[bytes], int]:
    """The stored intents and the number of submitted orders; nothing else is going on."""
    with psycopg.connect(url, autocommit=True) as connection:
        assert connection.execute(BUSY).fetchall() == []
        intents = [bytes(state) for (state,) in connection.execute(INTENDED).fetchall()]
        return intents, connection.execute(SUBMITTED).fetchall()[0][0]


def in_sqlite(url: str) -> tuple[list[bytes], int]:
    """The same, read under the one lock for writing, which is free at once."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=0, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        intents = [state for (state,) in connection.execute(INTENDED).fetchall()]
        count: int = connection.execute(SUBMITTED).fetchall()[0][0]
        connection.execute("ROLLBACK")
        return intents, count


class Watcher:
    """Looks into the database in the middle of each call that reaches a vendor."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._look: Look = in_sqlite if url.startswith("sqlite") else in_postgresql
        self.charges = 0
        self.mails = 0
        self.failures: list[Exception] = []

    def middleware(self) -> Middleware:
        @web.middleware
        async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.method == "POST":
                try:
                    await self._watch(request)
                except (AssertionError, sqlite3.Error, psycopg.Error) as failure:
                    self.failures.append(failure)
            return await handler(request)

        return watch

    async def _watch(self, request: web.Request) -> None:
        intents, submitted = await asyncio.to_thread(self._look, self._url)
        if request.path == API_PATH:
            invoice = INVOICE.search(await request.read())
            assert invoice is not None
            assert any(invoice[1] in state for state in intents), "the intent is not committed"
            self.charges += 1
        else:
            self.mails += 1
            assert submitted == self.mails, "the order is not committed as submitted"


def test_vendors_are_called_between_commits(database_url: str, tmp_path: Path) -> None:
    watcher = Watcher(database_url)

    async def story() -> None:
        async with selling(database_url, tmp_path, users=1, watch=watcher.middleware()) as world:
            for house in range(ORDERS):
                assert statuses(await world.pay(body(1, house))) == {"action-successful": 1}

    run(story())
    assert watcher.failures == []
    assert (watcher.charges, watcher.mails) == (ORDERS, ORDERS)

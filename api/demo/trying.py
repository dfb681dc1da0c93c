"""Sends the demo's requests over real HTTP and reads back what each one wrote."""

from __future__ import annotations

import asyncio
import copy
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from api.demo.endings import ENDINGS, Ending, Given, ordinary_body
from api.demo.report import Tried
from api.directory_import import import_file
from api.settings import Settings
from application.adapters.directory.cached import MAX_AGE_S

READER = "session-ed-example-token"  # an employee, who reads every order


class Trial:
    """One run through all endings, in order: some build on what an earlier one left behind."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        *,
        url: str,
        unreachable_url: str,
        settings: Settings,
        folder: Path,
        directory: Path,
    ) -> None:
        """`unreachable_url`: a second server over the same store, whose gateway cannot be reached."""
        self._http = http
        self._url = url
        self._unreachable_url = unreachable_url
        self._settings = settings
        self._folder = folder
        self._directory = directory

    async def all(self) -> AsyncIterator[Tried]:
        for ending in ENDINGS:
            async with self._arranged(ending.given):
                code, answer = await self._send(ending)
            yield Tried(ending, code, answer, await self._events_of(answer))

    async def _send(self, ending: Ending) -> tuple[int, dict[str, Any]]:
        body = ending.body if ending.body is not None else json.dumps(ordinary_body(ending.home, ending.changes))
        headers = {"Content-Type": ending.content_type}
        if ending.idempotency_key:
            headers["Idempotency-Key"] = ending.idempotency_key
        async with self._http.post(
            self._base_url(ending.given) + ending.path, data=body.encode(), headers=headers
        ) as response:
            return response.status, await response.json()

    async def _events_of(self, answer: dict[str, Any]) -> tuple[str, ...]:
        """The names of the events of the order that the answer shows."""
        order = (answer.get("data") or {}).get("order")
        if not order:
            return ()
        url = f"{self._url}/api/v1/orders/{order['id']}/events"
        async with self._http.get(url, headers={"Authorization": f"Bearer {READER}"}) as response:
            events = (await response.json())["data"]["events"]
        return tuple(event["name"] for event in events)

    def _base_url(self, given: Given) -> str:
        return self._unreachable_url if given is Given.GATEWAY_DOWN else self._url

    @asynccontextmanager
    async def _arranged(self, given: Given) -> AsyncIterator[None]:
        match given:
            case Given.ROUTE_NOT_DEPLOYED:
                async with self._other_directory(lambda service: service["routes"][0].update(deployed=False)):
                    yield
            case Given.SERVICE_NOT_DEPLOYED:
                async with self._other_directory(lambda service: service.update(deployed=False)):
                    yield
            case Given.DIRECTORY_BROKEN:
                with self._renamed("directory_routes"):
                    await asyncio.sleep(MAX_AGE_S)  # what was read before may be answered until then
                    yield
            case Given.LOG_BROKEN:
                with self._renamed("stored_events"):
                    yield
            case _:
                yield

    @asynccontextmanager
    async def _other_directory(self, change: Callable[[dict[str, Any]], None]) -> AsyncIterator[None]:
        """Import the API's own records with a change, and as they were afterwards."""
        records = json.loads(self._directory.read_text())["api_services"]
        changed = copy.deepcopy(records)
        change(changed[0])
        await self._import_services(changed)
        try:
            yield
        finally:
            await self._import_services(records)

    async def _import_services(self, records: list[dict[str, Any]]) -> None:
        file = self._folder / "api_services.json"
        file.write_text(json.dumps({"api_services": records}))
        await import_file(self._settings, file)

    @contextmanager
    def _renamed(self, table: str) -> Iterator[None]:
        """A table that is not where it should be: a real failure of the store, and one that can be undone."""
        database = str(self._folder / "orders.db")
        with closing(sqlite3.connect(database, timeout=5, isolation_level=None)) as connection:
            connection.execute(f"ALTER TABLE {table} RENAME TO {table}_away")
            try:
                yield
            finally:
                connection.execute(f"ALTER TABLE {table}_away RENAME TO {table}")

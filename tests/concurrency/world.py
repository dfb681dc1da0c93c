"""Everything running for one test: both sandboxes, a server over a database, and a client with many connections."""

from __future__ import annotations

import asyncio
import socket
from collections import defaultdict
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import uvicorn
from aiohttp.typedefs import Middleware

from api.app import create_app
from api.directory_import import import_file
from api.sandbox.authorizenet import GatewayConfig
from api.sandbox.authorizenet import create_app as create_gateway
from api.sandbox.mandrill.app import create_app as create_mail
from api.sandbox.mandrill.config import MailConfig
from api.sandbox.running import RunningSandbox
from api.sandbox.servers import Sandboxes
from api.settings import Settings
from application.adapters.recorders import open_recorder
from application.stored_events import CODEC
from domain.stream import Stream
from tests.concurrency.directory import written

PATH = "/api/v1/orders/pay_and_submit"
CHARGE = "authCaptureTransaction"
LIMIT_S = 60.0


@dataclass(frozen=True)
class Answer:
    code: int
    json: Mapping[str, Any]

    @property
    def status(self) -> str:
        return str(self.json["status"])

    @property
    def order(self) -> Mapping[str, Any]:
        order: Mapping[str, Any] = self.json["data"]["order"]
        return order


@dataclass(frozen=True)
class World:
    settings: Settings
    vendors: Sandboxes
    http: aiohttp.ClientSession
    urls: tuple[str, ...]  # of the servers; requests go to them in turn

    async def pay(self, *bodies: Mapping[str, Any]) -> list[Answer]:
        """Send all of them at the same time."""
        return await asyncio.gather(
            *(self._pay(self.urls[place % len(self.urls)], body) for place, body in enumerate(bodies))
        )

    async def _pay(self, url: str, body: Mapping[str, Any]) -> Answer:
        async with self.http.post(url + PATH, json=body) as response:
            return Answer(response.status, await response.json())

    async def delay(self, milliseconds: int) -> None:
        """Let both vendors take their time over every answer from now on."""
        for vendor in (self.vendors.gateway, self.vendors.mail):
            async with self.http.post(f"{vendor.url}/_faults", json={"delay_ms": milliseconds}) as response:
                assert response.status == 200

    async def captured(self) -> list[dict[str, Any]]:
        """The charges that the gateway has kept."""
        ledger = await self._get(f"{self.vendors.gateway.url}/_ledger")
        return [row for row in ledger["transactions"] if row["status"] == "capturedPendingSettlement"]

    async def charges_sent(self) -> int:
        """How often the gateway was asked to charge, however it ended."""
        return int((await self._get(f"{self.vendors.gateway.url}/_ledger"))["calls"].get(CHARGE, 0))

    async def mails(self) -> list[dict[str, Any]]:
        """The messages that the mail provider has accepted."""
        messages: list[dict[str, Any]] = (await self._get(f"{self.vendors.mail.url}/_ledger"))["messages"]
        return messages

    async def log(self) -> dict[UUID, list[Stream.Event]]:
        """All events by stream, in the order of their positions."""
        streams: defaultdict[UUID, list[Stream.Event]] = defaultdict(list)
        recorder = open_recorder(self.settings.database_url)
        try:
            for stored in await recorder.notifications(1, 100_000):
                event = CODEC.decode(stored)
                streams[event.originator_id].append(event)
        finally:
            await recorder.close()
        return streams

    async def _get(self, url: str) -> dict[str, Any]:
        async with self.http.get(url) as response:
            found: dict[str, Any] = await response.json()
            return found


def run(story: Coroutine[Any, Any, None]) -> None:
    """Run a test's story, within a limit."""

    async def limited() -> None:
        async with asyncio.timeout(LIMIT_S):
            await story

    asyncio.run(limited())


def statuses(answers: Iterable[Answer]) -> dict[str, int]:
    """How often each status came."""
    counts: dict[str, int] = {}
    for answer in answers:
        counts[answer.status] = counts.get(answer.status, 0) + 1
    return counts


@asynccontextmanager
async def selling(
    database_url: str, folder: Path, *, users: int, watch: Middleware | None = None
) -> AsyncIterator[World]:
    """A server in this process, with a directory of so many users and without background work.

    `watch` stands before both vendors.
    """
    async with vendors_for(database_url, watch) as (settings, vendors):
        await import_file(settings, written(users, folder))
        async with serving(settings) as url, client() as http:
            yield World(settings, vendors, http, (url,))


@asynccontextmanager
async def vendors_for(database_url: str, watch: Middleware | None = None) -> AsyncIterator[tuple[Settings, Sandboxes]]:
    """Both sandboxes, and settings that lead to them."""
    apps = create_gateway(GatewayConfig()), create_mail(MailConfig())
    for app in apps:
        app.middlewares.extend([watch] if watch else [])
    async with RunningSandbox(apps[0]) as gateway, RunningSandbox(apps[1]) as mail:
        vendors = Sandboxes(gateway, mail)
        yield (
            Settings(
                database_url=database_url,
                authorizenet_url=vendors.authorizenet_url,
                mandrill_url=vendors.mandrill_url,
            ),
            vendors,
        )


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[str]:
    """The API on a port of its own, in this event loop."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listening:
        config = uvicorn.Config(create_app(settings, work=False), log_config=None, access_log=False, backlog=1024)
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            while not server.started:
                assert not task.done(), "the server did not start"
                await asyncio.sleep(0.005)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


@asynccontextmanager
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """A client that waits for nothing but the server."""
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=LIMIT_S)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False) as http:
        yield http

"""A network between us and PostgreSQL that loses things on purpose."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import Enum
from typing import TypeAlias
from urllib.parse import parse_qs, urlsplit, urlunsplit

Reader: TypeAlias = asyncio.StreamReader
Writer: TypeAlias = asyncio.StreamWriter


class Fault(Enum):
    """What happens to the next request."""

    LOSE_ANSWER = "the server carries it out, its answer is lost with the connection"
    LOSE_REQUEST = "it is lost with the connection"
    HOLD_REQUEST = "it stays on the way until `let_go`"


class LossyProxy:
    """Forwards bytes over TCP to one server. A fault strikes the next request and then the network is well again."""

    def __init__(self, server_url: str) -> None:
        self._target = server_url
        self.fault: Fault | None = None
        self.down = False  # every new connection is closed at once
        self.let_go = asyncio.Event()
        self.struck = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.url = ""

    async def handle(self, client: Reader, to_client: Writer) -> None:
        if self.down:
            to_client.close()
            return
        server, to_server = await self._connect()
        losing = asyncio.Event()  # answers on this connection are dropped from now on
        tasks = [
            asyncio.create_task(self._requests(client, to_server, losing)),
            asyncio.create_task(self._answers(server, to_client, losing)),
        ]
        self._tasks.update(tasks)
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        to_client.close()
        await asyncio.wait(tasks, timeout=5)
        to_server.close()

    async def _requests(self, client: Reader, to_server: Writer, losing: asyncio.Event) -> None:
        while request := await _read(client):
            fault, self.fault = self.fault, None
            if fault is not None:
                self.struck.set()
            if fault is Fault.LOSE_REQUEST:
                return
            if fault is Fault.LOSE_ANSWER:
                losing.set()
            if fault is Fault.HOLD_REQUEST:
                await self.let_go.wait()
            with suppress(ConnectionError):
                to_server.write(request)
                await to_server.drain()

    async def _answers(self, server: Reader, to_client: Writer, losing: asyncio.Event) -> None:
        while answer := await _read(server):
            if losing.is_set():
                return
            with suppress(ConnectionError):
                to_client.write(answer)
                await to_client.drain()

    async def _connect(self) -> tuple[Reader, Writer]:
        url = urlsplit(self._target)
        folder = parse_qs(url.query).get("host")
        if folder:
            return await asyncio.open_unix_connection(f"{folder[0]}/.s.PGSQL.{url.port or 5432}")
        return await asyncio.open_connection(url.hostname, url.port or 5432)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _read(reader: Reader) -> bytes:
    try:
        return await reader.read(65_536)
    except ConnectionError:
        return b""


@asynccontextmanager
async def lossy(url: str) -> AsyncIterator[LossyProxy]:
    """A proxy before the database of the URL; its own URL is `proxy.url`."""
    proxy = LossyProxy(url)
    server = await asyncio.start_server(proxy.handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    parts = urlsplit(url)
    user = parts.netloc.rpartition("@")[0].rstrip(":")
    proxy.url = urlunsplit((parts.scheme, f"{user}@127.0.0.1:{port}", parts.path, "sslmode=disable", ""))
    try:
        yield proxy
    finally:
        server.close()
        await proxy.stop()

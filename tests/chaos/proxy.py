"""A network between the product and a server that delays, cuts and swallows, on purpose and by a seed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from random import Random

READ_BYTES = 65_536
CONNECT_S = 3.0

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Streams]]


class Fault(StrEnum):
    """What may happen to a request on its way, or to its answer."""

    DELAY = "delayed"
    CUT_BEFORE = "cut before it was forwarded"
    CUT_AFTER = "forwarded, then cut"
    CUT_MID_ANSWER = "cut in the middle of the answer"
    SWALLOW = "answer swallowed"


@dataclass(frozen=True)
class Weather:
    """How bad the network is. Whatever is forwarded is forwarded within `longest_delay_s`."""

    rate: float  # how many of the requests, or parts of requests, meet a fault
    longest_delay_s: float
    swallow_s: float  # a connection whose answers are swallowed is cut after this


class Proxy:
    """Forwards TCP to one server, in bad weather until it is told to be calm."""

    def __init__(self, connect: Connect, weather: Weather, chance: Random) -> None:
        self._connect = connect
        self._weather = weather
        self._chance = chance
        self._deck: list[Fault] = []
        self._links: set[_Link] = set()
        self.calm = False
        self.faults: Counter[Fault] = Counter()
        self.port = 0

    def next_fault(self) -> Fault | None:
        """A fault for this request, or none. Faults are dealt from a deck, so that every kind comes soon."""
        if self.calm or self._chance.random() >= self._weather.rate:
            return None
        if not self._deck:
            self._deck = self._chance.sample(list(Fault), len(Fault))
        fault = self._deck.pop()
        self.faults[fault] += 1
        return fault

    def delay_s(self) -> float:
        return self._chance.uniform(0, self._weather.longest_delay_s)

    @property
    def swallow_s(self) -> float:
        return self._weather.swallow_s

    def become_calm(self) -> None:
        """No more faults; connections that a fault has spoilt are cut."""
        self.calm = True
        for link in self._links:
            if link.spoilt:
                link.cut()

    async def handle(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(CONNECT_S):
                server, to_server = await self._connect()
        except (OSError, TimeoutError):
            to_client.transport.abort()
            return
        link = _Link(self, (client, to_client), (server, to_server))
        self._links.add(link)
        try:
            await link.forward()
        finally:
            link.cut()
            self._links.discard(link)


class _Link:
    """One connection through the proxy."""

    def __init__(self, proxy: Proxy, client: Streams, server: Streams) -> None:
        self._proxy = proxy
        self._client, self._to_client = client
        self._server, self._to_server = server
        self._fault: Fault | None = None  # that waits for the next answer

    @property
    def spoilt(self) -> bool:
        return self._fault is not None

    def cut(self) -> None:
        self._to_client.transport.abort()
        self._to_server.transport.abort()

    async def forward(self) -> None:
        """Until either side ends, or a fault does."""
        pumps = [asyncio.create_task(self._requests()), asyncio.create_task(self._answers())]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _requests(self) -> None:
        with suppress(OSError):
            while request := await self._client.read(READ_BYTES):
                fault = self._proxy.next_fault()
                if fault is Fault.CUT_BEFORE:
                    return
                if fault is Fault.DELAY:
                    await asyncio.sleep(self._proxy.delay_s())
                elif fault is not None:
                    self._fault = fault
                self._to_server.write(request)
                await self._to_server.drain()
                if fault is Fault.CUT_AFTER:
                    await asyncio.sleep(self._proxy.delay_s() / 10)
                    return

    async def _answers(self) -> None:
        with suppress(OSError):
            while answer := await self._server.read(READ_BYTES):
                if self._fault is Fault.SWALLOW:
                    await asyncio.sleep(self._proxy.swallow_s)
                    return
                if self._fault is not None:
                    self._to_client.write(answer[: len(answer) // 2])
                    await self._to_client.drain()
                    return
                self._to_client.write(answer)
                await self._to_client.drain()


@asynccontextmanager
async def proxy(connect: Connect, weather: Weather, chance: Random) -> AsyncIterator[Proxy]:
    """A proxy on a free port while the block lasts."""
    made = Proxy(connect, weather, chance)
    handlers: set[asyncio.Task[None]] = set()

    def accept(client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(made.handle(client, to_client))
        handlers.add(task)
        task.add_done_callback(handlers.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, backlog=512)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in list(handlers):
            task.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)

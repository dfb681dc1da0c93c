"""A proxy that delays all bytes, each way: `python -m tests.benchmarks.proxy SOCKET MS` listens on 127.0.0.1."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from typing import cast

import uvloop

from tests.benchmarks.vendors import url_of


class _Side(asyncio.Protocol):
    """One end of a connection; what it receives leaves at the other end later, in the same order."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._late: deque[bytes] = deque()
        self.other: _Side | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop has a class of its own

    def data_received(self, data: bytes) -> None:
        self._late.append(data)
        asyncio.get_running_loop().call_later(self._delay_s, self._pass_on)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()

    def _pass_on(self) -> None:
        if self._late and self.other is not None and self.other.transport is not None:
            self.other.transport.write(self._late.popleft())


class _Client(_Side):
    """The end that connected to the proxy. What it receives before the server's end is there waits for that."""

    def __init__(self, delay_s: float, socket: str) -> None:
        super().__init__(delay_s)
        self._socket = socket
        self._connecting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._connecting = asyncio.create_task(self._connect())

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        _, self.other = await loop.create_unix_connection(lambda: _Side(self._delay_s), self._socket)
        self.other.other = self
        while self._late:
            self._pass_on()


async def main(socket: str, delay_s: float) -> None:
    loop = asyncio.get_running_loop()
    proxy = await loop.create_server(lambda: _Client(delay_s, socket), "127.0.0.1", 0)
    sys.stdout.write(f"proxy: serving on {url_of(proxy)}\n")
    sys.stdout.flush()
    await proxy.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], float(sys.argv[2]) / 1000))

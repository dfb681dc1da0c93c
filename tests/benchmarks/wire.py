"""HTTP/1.1 at the lowest cost that Python has: keep-alive connections, prebuilt bytes, one answer at a time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final, cast

import httptools

CONNECT_S: Final = 5.0


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes


class Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[Answer] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._body = b""

    @property
    def open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    async def exchange(self, request: bytes) -> Answer:
        """Send the bytes and read the answer. Raises ConnectionError where the other side goes away."""
        if self._transport is None:
            raise ConnectionResetError("closed")
        waiter: asyncio.Future[Answer] = self._loop.create_future()
        self._waiter = waiter
        self._transport.write(request)
        return await waiter

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    # --- asyncio.Protocol ---------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop has a class of its own

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(ConnectionResetError("closed while waiting"))

    # --- httptools ----------------------------------------------------------------------------------------------------

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        answer, self._body = Answer(self._parser.get_status_code(), self._body), b""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(answer)


async def connect(host: str, port: int) -> Connection:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(CONNECT_S):
        _, connection = await loop.create_connection(Connection, host, port)
    return connection


class Pool:
    """Connections to one server, as many as there are requests at once; the last one used is the next one used."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._idle: list[Connection] = []

    async def exchange(self, request: bytes) -> Answer:
        connection = self._idle.pop() if self._idle else await connect(*self._address)
        if not connection.open:  # a server closes what was idle for long
            connection = await connect(*self._address)
        try:
            answer = await connection.exchange(request)
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        return answer

    def close(self) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()


def post_head(path: str, content_type: str) -> bytes:
    """The head of a POST up to the number of its Content-Length; `posted` completes it."""
    return f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\nContent-Length: ".encode()


def posted(head: bytes, body: bytes) -> bytes:
    return b"%b%d\r\n\r\n%b" % (head, len(body), body)


def got(path: str) -> bytes:
    """A GET request."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()

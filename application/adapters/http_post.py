"""One HTTP POST to a vendor, sent at most once, that always says whether the request can have arrived.

Before a connection is there, nothing of the request can have left: `Unsent`. From then on, whatever goes wrong is
`Lost`. Nothing is ever sent again on another connection. No redirects, no proxies from the environment, no cookies;
TLS is verified. Compression is declined, and stays packed where it comes all the same: it cannot blow up, only be
unreadable. Our own, over httptools' parser, since every order waits for two such calls: aiohttp's client costs a
multiple of it.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from aiohappyeyeballs import AddrInfoType, start_connection

from application.adapters.http_connection import MOMENT_S, Broken, HttpConnection, Reply
from application.semaphores import Places

__all__ = ["HttpPost", "Limits", "Lost", "Reply", "Unsent"]

# Short: a connection that the other side has just closed costs us an unknown outcome. Long enough for a lull: where
# many orders come after it, new connections (TLS with them) would make each of them wait for all the others' too.
# Shorter where the other side says so, or shows it.
_KEEPALIVE_S: Final = 15.0
_KEEPALIVE_SHARE: Final = 0.8  # of the shortest time after which the other side was seen to close an idle connection
_NEXT_ADDRESS_AFTER_S: Final = 0.25  # RFC 8305: a host may have addresses that lead nowhere
_MAX_HEADS: Final = 64


@dataclass(frozen=True)
class Limits:
    """Of one vendor's calls."""

    connect_timeout_s: float  # until a connection is there: wait for a slot, DNS, TCP and TLS together
    max_answer_bytes: int
    max_connections: int


@dataclass(frozen=True)
class Unsent:
    """Nothing of the request has left."""

    reason: str  # shut-down, pool-exhausted, connect-timeout, connection-refused, dns, tls, connect-failed


@dataclass(frozen=True)
class Lost:
    """The request may have been carried out."""

    reason: str  # time-out, connection-lost, nonsense, too-large


class HttpPost:
    """A pool of connections to one host. Belongs to the event loop of its first call; close it there."""

    def __init__(self, url: str, limits: Limits) -> None:
        """`url`: of the vendor; TLS is set up once if it is https. Raises ValueError for what is no such URL."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("not an http or https URL")
        self._host = parts.hostname
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._named = parts.netloc.rpartition("@")[2]
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._limits = limits
        self._slots = Places(limits.max_connections)
        self._keepalive_s = _KEEPALIVE_S
        self._idle: list[HttpConnection] = []  # the one used last is at the end
        self._busy: set[HttpConnection] = set()
        self._heads: dict[tuple[str, tuple[tuple[str, str], ...]], bytes] = {}
        self._closed = False

    async def __call__(
        self, url: str, data: bytes, headers: Mapping[str, str], deadline_s: float
    ) -> Reply | Unsent | Lost:
        """POST once. `deadline_s` covers all of it, to the last byte of the answer. Only cancellation raises."""
        begins_at_s = asyncio.get_running_loop().time()
        connect_s = min(deadline_s, self._limits.connect_timeout_s)
        request = b"%s%d\r\n\r\n%s" % (self._head(url, headers), len(data), data)
        try:
            await self._slots.take(connect_s)
        except TimeoutError:
            return Unsent("pool-exhausted")
        try:
            connection = self._idle_connection() or await self._new_connection(begins_at_s + connect_s)
            if isinstance(connection, Unsent):
                return connection
            if self._closed:
                connection.abort()
                return Unsent("shut-down")
            self._busy.add(connection)
            try:
                return await connection.send(request, begins_at_s + deadline_s)
            except Broken as broken:
                return Lost(str(broken))
            finally:
                self._busy.discard(connection)
                if connection.finish() and not self._closed:
                    self._idle.append(connection)
        finally:
            self._slots.release()

    async def close(self) -> None:
        """Close the pool. Calls on the way are lost; later calls are not sent."""
        self._closed = True
        for connection in [*self._idle, *self._busy]:
            connection.abort()
        self._idle.clear()
        await asyncio.sleep(0)  # the transports close in the loop's next round

    def _idle_connection(self) -> HttpConnection | None:
        """The one that was used last, if it can still be used."""
        while self._idle:
            connection = self._idle.pop()
            if connection.usable_after_idling(self._keepalive_s):
                return connection
            connection.abort()
        return None

    def _ended_idle(self, idle_s: float) -> None:
        """The other side ended an idle connection. After less than a moment it is a restart, and no time-out."""
        if idle_s >= MOMENT_S:
            self._keepalive_s = min(self._keepalive_s, _KEEPALIVE_SHARE * idle_s)

    async def _new_connection(self, connect_by_s: float) -> HttpConnection | Unsent:
        try:
            async with asyncio.timeout_at(connect_by_s):
                return await self._connect()
        except Exception as error:
            return Unsent(_unsent(error))

    async def _connect(self) -> HttpConnection:
        loop = asyncio.get_running_loop()
        addresses = await self._addresses()
        to: dict[str, Any] = {}
        if len(addresses) == 1:  # nothing to choose from, which costs half
            to["host"], to["port"] = addresses[0][4][:2]
        else:
            to["sock"] = await start_connection(addresses, happy_eyeballs_delay=_NEXT_ADDRESS_AFTER_S)
        _, connection = await loop.create_connection(
            lambda: HttpConnection(self._limits.max_answer_bytes, self._ended_idle),
            ssl=self._tls,
            server_hostname=self._host if self._tls else None,
            **to,
        )
        return connection

    async def _addresses(self) -> Sequence[AddrInfoType]:
        """Where the host listens; an address stands for itself, without a thread that looks it up."""
        try:
            version = ip_address(self._host).version
        except ValueError:
            return await asyncio.get_running_loop().getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        family, rest = (socket.AF_INET, ()) if version == 4 else (socket.AF_INET6, (0, 0))
        return [(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (self._host, self._port, *rest))]

    def _head(self, url: str, headers: Mapping[str, str]) -> bytes:
        """The request line and the header fields, up to the value of Content-Length. Raises ValueError."""
        key = (url, tuple(headers.items()))
        if (head := self._heads.get(key)) is None:
            parts = urlsplit(url)
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            fields = {"Host": self._named, "Accept": "*/*", "Accept-Encoding": "identity", **headers}
            lines = [f"POST {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
            if any(not line.isprintable() for line in lines):
                raise ValueError("a header field cannot hold that")
            head = "\r\n".join([*lines, "Content-Length: "]).encode("latin-1")
            if len(self._heads) >= _MAX_HEADS:
                self._heads.clear()
            self._heads[key] = head
        return head


def _unsent(error: Exception) -> str:
    """Why there is no connection."""
    match error:
        case TimeoutError():
            return "connect-timeout"
        case ssl.SSLError():  # a certificate that does not fit among them
            return "tls"
        case ConnectionRefusedError():
            return "connection-refused"
        case socket.gaierror():
            return "dns"
        case _:
            return "connect-failed"

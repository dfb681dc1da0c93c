"""One HTTP POST to a vendor, sent at most once, that always says whether the request can have arrived.

Before a connection is there, nothing of the request can have left: `Unsent`. From then on, whatever goes wrong is
`Lost`. aiohttp repeats a request on a fresh connection only for idempotent methods, so never a POST. No redirects, no
proxies from the environment, no cookies; TLS is verified.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final

import aiohttp

_KEEPALIVE_S: Final = 5.0  # short: a connection that the other side has just closed costs us an unknown outcome


@dataclass(frozen=True)
class Limits:
    """Of one vendor's calls."""

    connect_timeout_s: float  # until a connection is there: wait for a slot, DNS, TCP and TLS together
    max_answer_bytes: int
    max_connections: int


@dataclass(frozen=True)
class Reply:
    """A complete HTTP answer, whatever its status."""

    status: int
    body: bytes


@dataclass(frozen=True)
class Unsent:
    """Nothing of the request has left."""

    reason: str  # shut-down, pool-exhausted, connect-timeout, connection-refused, dns, tls, connect-failed


@dataclass(frozen=True)
class Lost:
    """The request may have been carried out."""

    reason: str  # time-out, connection-lost, nonsense, too-large


@dataclass
class _Progress:
    """How far one request has come."""

    queued: bool = False  # waiting for a free connection of the pool
    connected: bool = False


class HttpPost:
    """A pool of connections. Belongs to the event loop of its first call; close it there."""

    def __init__(self, url: str, limits: Limits) -> None:
        """`url`: of the vendor; TLS is set up once if it is https."""
        self._tls: ssl.SSLContext | bool = ssl.create_default_context() if url.startswith("https:") else True
        self._limits = limits
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    async def __call__(
        self, url: str, data: bytes, headers: Mapping[str, str], deadline_s: float
    ) -> Reply | Unsent | Lost:
        """POST once. `deadline_s` covers all of it, to the last byte of the answer. Only cancellation raises."""
        if self._closed:
            return Unsent("shut-down")
        progress = _Progress()
        try:
            async with asyncio.timeout(deadline_s):
                return await self._post(url, data, headers, progress)
        except Exception as error:  # whatever it is: once connected, the request may have been carried out
            return Lost(_lost(error)) if progress.connected else Unsent(_unsent(error, progress))

    async def close(self) -> None:
        """Close the pool. Calls on the way are lost; later calls are not sent."""
        self._closed = True
        if self._session is not None:
            await self._session.close()

    async def _post(
        self, url: str, data: bytes, headers: Mapping[str, str], progress: _Progress
    ) -> Reply | Unsent | Lost:
        request = self._open_session().post(
            url, data=data, headers=headers, allow_redirects=False, trace_request_ctx=progress
        )
        async with request as response:
            received = bytearray()
            async for chunk in response.content.iter_any():
                received += chunk
                if len(received) > self._limits.max_answer_bytes:
                    response.close()
                    return Lost("too-large")
            return Reply(response.status, bytes(received))

    def _open_session(self) -> aiohttp.ClientSession:
        """The one session, made at the first call since it needs the running loop.

        Compression is declined, and stays packed where it comes all the same: it cannot blow up, only be unreadable.
        """
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._limits.max_connections, keepalive_timeout=_KEEPALIVE_S, ssl=self._tls
                ),
                timeout=aiohttp.ClientTimeout(total=None, connect=self._limits.connect_timeout_s),
                headers={"Accept-Encoding": "identity"},
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                trace_configs=[_tracing()],
            )
        return self._session


def _tracing() -> aiohttp.TraceConfig:
    """Follows each request into its _Progress. aiohttp awaits these hooks before it writes the first byte."""

    async def queued(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: Any) -> None:
        context.trace_request_ctx.queued = True

    async def dequeued(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: Any) -> None:
        context.trace_request_ctx.queued = False

    async def connected(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: Any) -> None:
        context.trace_request_ctx.connected = True

    tracing = aiohttp.TraceConfig()
    tracing.on_connection_queued_start.append(queued)
    tracing.on_connection_queued_end.append(dequeued)
    tracing.on_connection_create_end.append(connected)
    tracing.on_connection_reuseconn.append(connected)
    return tracing


def _unsent(error: Exception, progress: _Progress) -> str:
    """Why there was no connection."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    match cause:
        case TimeoutError():
            return "pool-exhausted" if progress.queued else "connect-timeout"
        case ssl.SSLError() | ssl.CertificateError():
            return "tls"
        case ConnectionRefusedError():
            return "connection-refused"
        case _ if isinstance(error, aiohttp.ClientSSLError):
            return "tls"
        case _ if isinstance(error, aiohttp.ClientConnectorDNSError) or isinstance(cause, socket.gaierror):
            return "dns"
        case _:
            return "connect-failed"


def _lost(error: Exception) -> str:
    """What went wrong once connected."""
    if isinstance(error, TimeoutError):
        return "time-out"
    # A response that HTTP itself cannot parse is told by a ClientResponseError.
    return "nonsense" if isinstance(error, aiohttp.ClientResponseError) else "connection-lost"

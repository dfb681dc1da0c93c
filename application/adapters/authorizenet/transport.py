"""One HTTP POST, sent at most once, that always says whether the request can have reached the gateway.

Before a connection is there, nothing of the request can have left: `NotSent`. From then on, whatever goes wrong is
`OutcomeUnknown`. aiohttp repeats a request on a fresh connection only for idempotent methods, so never a POST.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final

import aiohttp

from application.adapters.authorizenet.config import AuthorizeNetConfig
from application.ports import NotSent, OutcomeUnknown

# Unasked-for compression stays compressed (auto_decompress is off): it cannot blow up, it is only unreadable.
_HEADERS: Final = {"Content-Type": "text/xml; charset=utf-8", "Accept-Encoding": "identity", "User-Agent": "orders"}
_KEEPALIVE_S: Final = 5.0  # short: a connection that the other side has just closed costs us an unknown outcome


@dataclass
class _Progress:
    """How far one request has come."""

    queued: bool = False  # waiting for a free connection of the pool
    connected: bool = False


class Transport:
    """A pool of connections to one URL. Belongs to the event loop of its first call; close it there."""

    def __init__(self, config: AuthorizeNetConfig) -> None:
        self._config = config
        self._tls: ssl.SSLContext | bool = ssl.create_default_context() if config.url.startswith("https:") else True
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    async def post(self, body: bytes, deadline_s: float) -> bytes | NotSent | OutcomeUnknown:
        """The body of a 200 answer. Anything else is told as what it means for the request; only cancellation raises.

        `deadline_s` covers all of it: waiting for a connection, connecting, sending, and reading the last byte.
        """
        if self._closed:
            return NotSent("shut-down")
        progress = _Progress()
        try:
            async with asyncio.timeout(deadline_s):
                return await self._post(body, progress)
        except Exception as error:  # whatever it is: once connected, the request may have been carried out
            if progress.connected:
                return OutcomeUnknown(_lost(error))
            return NotSent(_unsent(error, progress))

    async def close(self) -> None:
        """Close the pool. Calls on the way end as unknown outcomes; later calls are not sent."""
        self._closed = True
        if self._session is not None:
            await self._session.close()

    async def _post(self, body: bytes, progress: _Progress) -> bytes | OutcomeUnknown:
        request = self._open_session().post(
            self._config.url, data=body, allow_redirects=False, trace_request_ctx=progress
        )
        async with request as response:
            if response.status != 200:
                response.close()
                return OutcomeUnknown(f"http-{response.status // 100}xx")
            received = bytearray()
            async for chunk in response.content.iter_any():
                received += chunk
                if len(received) > self._config.max_answer_bytes:
                    response.close()
                    return OutcomeUnknown("too-large")
            return bytes(received)

    def _open_session(self) -> aiohttp.ClientSession:
        """The one session, made at the first call since it needs the running loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._config.max_connections, keepalive_timeout=_KEEPALIVE_S, ssl=self._tls
                ),
                timeout=aiohttp.ClientTimeout(total=None, connect=self._config.connect_timeout_s),
                headers=_HEADERS,
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
    """Why there was no connection, as a slug."""
    if isinstance(error, TimeoutError):
        return "pool-exhausted" if progress.queued else "connect-timeout"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "dns"
    if isinstance(error, aiohttp.ClientSSLError):
        return "tls"
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    return "connection-refused" if isinstance(cause, ConnectionRefusedError) else "connect-failed"


def _lost(error: Exception) -> str:
    """What went wrong once connected, as a slug."""
    if isinstance(error, TimeoutError):
        return "time-out"
    # A response that HTTP itself cannot parse is told by a ClientResponseError.
    return "nonsense" if isinstance(error, aiohttp.ClientResponseError) else "connection-lost"

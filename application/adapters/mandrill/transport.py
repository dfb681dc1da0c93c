"""The way to the wire under the official client: one pool of connections, no thread per call, a limit on everything.

The client's own `ApiClient` waits 300 s, opens a connection per call, and hands out an empty or broken answer, also of
a 500, as a raw Response. Its API classes return whatever `call_api` returns, so a `call_api` that returns an awaitable
makes `await MessagesApi(key, api_client=...).send(body)` work.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final

import aiohttp
from mailchimp_transactional import ApiClient

from application.adapters.mandrill.config import MandrillConfig

_KEEPALIVE_S: Final = 5.0  # short: a connection that the other side has just closed costs us an unknown outcome


@dataclass(frozen=True)
class Answered:
    """A complete HTTP answer. `body` is its JSON; None where it is empty, or no JSON."""

    http_status: int
    body: Any


@dataclass(frozen=True)
class Unanswered:
    """No usable answer. `sent`: the request may have been carried out; else nothing of it has left."""

    reason: str  # a short slug
    sent: bool


@dataclass
class _Progress:
    """How far one request has come."""

    queued: bool = False  # waiting for a free connection of the pool
    connected: bool = False


class PooledApiClient(ApiClient):  # type: ignore[misc]  # the package has no types
    """Belongs to the event loop of its first call; close it there."""

    def __init__(self, config: MandrillConfig) -> None:
        super().__init__()
        self.host = config.url.rstrip("/")
        self._config = config
        self._tls: ssl.SSLContext | bool = ssl.create_default_context() if self.host.startswith("https:") else True
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    async def call_api(
        self,
        resource_path: str,
        method: str,
        header_params: dict[str, str] | None = None,
        body: dict[str, Any] | None = None,
        **_described: Any,
    ) -> Answered | Unanswered:
        """POST once to host + path + `.json`. Never raises for a failure on the way; a cancelled call raises.

        `_described` takes the response types that the API classes name; nothing reads them, nor does the original.
        """
        if method != "POST":
            raise ValueError("http method must be `POST`")
        if self._closed:
            return Unanswered("shut-down", sent=False)
        headers = {**(header_params or {}), "User-Agent": self.user_agent, "Content-Type": self.content_type}
        url, data, progress = f"{self.host}{resource_path}.json", json.dumps(body).encode(), _Progress()
        try:
            async with asyncio.timeout(self._config.deadline_s):
                return await self._post(url, data, headers, progress)
        except Exception as error:  # whatever it is: once connected, the request may have been carried out
            reason = _lost(error) if progress.connected else _unsent(error, progress)
            return Unanswered(reason, sent=progress.connected)

    async def close(self) -> None:
        """Close the pool. Calls on the way end unanswered; later calls are not sent."""
        self._closed = True
        if self._session is not None:
            await self._session.close()

    async def _post(self, url: str, data: bytes, headers: dict[str, str], progress: _Progress) -> Answered | Unanswered:
        request = self._open_session().post(
            url, data=data, headers=headers, allow_redirects=False, trace_request_ctx=progress
        )
        async with request as response:
            received = bytearray()
            async for chunk in response.content.iter_any():
                received += chunk
                if len(received) > self._config.max_answer_bytes:
                    response.close()
                    return Unanswered("too-large", sent=True)
            return Answered(response.status, _json(received))

    def _open_session(self) -> aiohttp.ClientSession:
        """The one session, made at the first call since it needs the running loop.

        aiohttp repeats a request by itself only for idempotent methods, so never a POST. Compression is declined and
        stays packed where it comes nevertheless: it cannot blow up, it is only unreadable.
        """
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._config.max_connections, keepalive_timeout=_KEEPALIVE_S, ssl=self._tls
                ),
                timeout=aiohttp.ClientTimeout(total=None, connect=self._config.connect_timeout_s),
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


def _json(received: bytearray) -> Any:
    try:
        return json.loads(received)
    except (ValueError, RecursionError):
        return None


def _unsent(error: Exception, progress: _Progress) -> str:
    """Why there was no connection, as a slug."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    match cause:
        case TimeoutError():
            return "pool-exhausted" if progress.queued else "connect-timeout"
        case ssl.SSLError() | ssl.CertificateError():
            return "tls"
        case ConnectionRefusedError():
            return "connection-refused"
        case _ if isinstance(error, aiohttp.ClientConnectorCertificateError):
            return "tls"
        case _ if isinstance(error, aiohttp.ClientConnectorDNSError) or isinstance(cause, socket.gaierror):
            return "dns"
        case _:
            return "connect-failed"


def _lost(error: Exception) -> str:
    """What went wrong once connected, as a slug."""
    if isinstance(error, TimeoutError):
        return "time-out"
    # A response that HTTP itself cannot parse is told by a ClientResponseError.
    return "nonsense" if isinstance(error, aiohttp.ClientResponseError) else "connection-lost"

"""A mailer, and the servers it talks to: the sandbox, a scripted one, and one below HTTP."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

from aiohttp import web

from api.sandbox.mandrill import MailConfig, create_app
from api.sandbox.running import RunningSandbox
from application.adapters.mandrill import MandrillConfig, MandrillMailer
from application.ports import Email

T = TypeVar("T")
Reply = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

KEY = "exampleMandrillKey"
FROM = "Orders <orders@example.com>"
ORDER_ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
EMAIL_ID = "5a7f0c2e9b1d4368a7f0c2e9b1d43680"


def run(scenario: Coroutine[Any, Any, T]) -> T:
    """Run one scenario to its end; nothing here may take longer than 10 seconds."""
    return asyncio.run(asyncio.wait_for(scenario, 10))


def email(to: str = "anna@example.com", email_id: str = EMAIL_ID, **changes: Any) -> Email:
    usual = {"subject": "Order 1001 is confirmed", "text": "Thank you", "html": "<p>Thank you</p>", "tag": "order"}
    return Email(email_id=email_id, order_id=ORDER_ID, to=to, **{**usual, **changes})


@asynccontextmanager
async def mailer_at(url: str, key: str = KEY, email_from: str = FROM, **limits: Any) -> AsyncIterator[MandrillMailer]:
    mailer = MandrillMailer(MandrillConfig(url, key, email_from, **limits))
    try:
        yield mailer
    finally:
        await mailer.close()


@asynccontextmanager
async def sandbox(**config: Any) -> AsyncIterator[str]:
    """The sandbox; gives the base URL of its API."""
    async with RunningSandbox(create_app(MailConfig(api_key=KEY, **config))) as running:
        yield f"{running.url}/api/1.3"


class Script:
    """Answers every request alike, and remembers their bodies, headers and connections."""

    def __init__(self, body: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self._body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._status = status
        self._headers = {"Content-Type": "application/json", **(headers or {})}
        self.paths: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.paths.append(request.path)
        self.bodies.append(json.loads(await request.read()))
        self.headers.append(dict(request.headers))
        return web.Response(body=self._body, status=self._status, headers=self._headers)


@asynccontextmanager
async def serving(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]], tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """An HTTP server on a free port that sends everything to the handler; gives the base URL."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        yield f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}/api/1.3"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def serving_bytes(reply: Reply) -> AsyncIterator[str]:
    """A server below HTTP, for answers that no HTTP server would give; gives the base URL."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reply(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client gave up first
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/1.3"
    finally:
        server.close()
        await server.wait_closed()

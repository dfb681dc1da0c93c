"""How an answer reaches its caller: at once, late, broken, or never."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from aiohttp import web

from api.sandbox.authorizenet.config import GatewayConfig
from api.sandbox.authorizenet.encoding import encode
from api.sandbox.authorizenet.gateway import Reply
from api.sandbox.authorizenet.ledger import LedgerFull
from api.sandbox.authorizenet.profiles import Delivery

_BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


class Deliverer:
    """Delivers replies until it is closed; then every wait ends, so that the server can stop."""

    def __init__(self, config: GatewayConfig) -> None:
        self._config = config
        self._closing = asyncio.Event()
        self._later: set[asyncio.Task[None]] = set()

    async def deliver(self, request: web.Request, reply: Reply, *, as_json: bool, delay_ms: int) -> web.Response:
        if reply.later is not None:
            self._schedule(reply)
        slow_s = self._config.slow_s if reply.delivery is Delivery.SLOW else 0.0
        await self._pause(delay_ms / 1000 + slow_s)
        if reply.delivery is Delivery.HANG:
            await self._pause(self._config.hang_s)
        if reply.delivery in (Delivery.HANG, Delivery.DROP):
            return _abort(request)
        return self._response(reply, as_json=as_json)

    async def close(self) -> None:
        self._closing.set()
        for task in self._later:
            task.cancel()
        await asyncio.gather(*self._later, return_exceptions=True)

    def _response(self, reply: Reply, *, as_json: bool) -> web.Response:
        if reply.delivery is Delivery.HTTP_500:
            return web.Response(status=500, text="Internal Server Error")
        if reply.delivery is Delivery.HTTP_502:
            return web.Response(status=502, text=_BAD_GATEWAY, content_type="text/html")
        body = encode(reply.answer, as_json=as_json)
        if reply.delivery is Delivery.NONSENSE:
            body = b"\x00<<nonsense: neither XML nor JSON"
        elif reply.delivery is Delivery.EMPTY:
            body = b""
        elif reply.delivery is Delivery.OVERSIZED:
            body += b" " * self._config.oversized_bytes
        content_type = "application/json" if as_json else "application/xml"
        return web.Response(body=body, headers={"Content-Type": f"{content_type}; charset=utf-8"})

    def _schedule(self, reply: Reply) -> None:
        task = asyncio.create_task(self._perform_later(reply))
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _perform_later(self, reply: Reply) -> None:
        assert reply.later is not None
        await asyncio.sleep(self._config.late_s)
        with suppress(LedgerFull):  # nobody is left to be told
            reply.later()

    async def _pause(self, seconds: float) -> None:
        if seconds > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._closing.wait()


def _abort(request: web.Request) -> web.Response:
    """Cut the connection without a byte; the response that is returned goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()

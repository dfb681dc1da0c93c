"""The sandbox gateway as an aiohttp application: the API at its path, and a ledger and switches beside it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from aiohttp import web

from api.sandbox.authorizenet.config import GatewayConfig
from api.sandbox.authorizenet.decoding import BadRequest, decode
from api.sandbox.authorizenet.delivery import Deliverer
from api.sandbox.authorizenet.encoding import error_response
from api.sandbox.authorizenet.faults import BadFault
from api.sandbox.authorizenet.gateway import Gateway, Reply
from api.sandbox.authorizenet.ledger import LedgerFull
from api.sandbox.authorizenet.page import page
from api.sandbox.authorizenet.planting import BadPlant, plant
from api.sandbox.authorizenet.webhooks import Webhooks

API_PATH = "/xml/v1/request.api"
MAX_BODY_BYTES = 128 * 1024
_CONTENT_TYPES = frozenset({"text/xml", "application/xml", "application/json"})


def create_app(config: GatewayConfig) -> web.Application:
    """A gateway of its own, with an empty ledger. Start it with RunningSandbox."""
    server = _Server(config)
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.router.add_post(API_PATH, server.api)
    app.router.add_get("/", server.page)
    app.router.add_get("/_ledger", server.ledger)
    app.router.add_post("/_ledger/settle", server.settle)
    app.router.add_post("/_ledger/plant", server.plant)
    app.router.add_post("/_ledger/reset", server.reset)
    app.router.add_post(r"/_held/{transaction_id:\d+}/{action:approve|decline}", server.review)
    app.router.add_post("/_faults", server.fault)
    app.on_response_prepare.append(_mark)
    app.cleanup_ctx.append(server.background)
    app.on_shutdown.append(server.shut_down)
    return app


async def _mark(_: web.Request, response: web.StreamResponse) -> None:
    response.headers["X-Sandbox"] = "true"


class _Server:
    def __init__(self, config: GatewayConfig) -> None:
        self._webhooks = Webhooks(config)
        self._gateway = Gateway(config, self._webhooks)
        self._deliverer = Deliverer(config)

    async def background(self, _: web.Application) -> AsyncIterator[None]:
        async with self._webhooks.running():
            yield

    async def shut_down(self, _: web.Application) -> None:
        await self._deliverer.close()

    async def api(self, request: web.Request) -> web.Response:
        as_json = request.content_type == "application/json"
        body = await request.read()
        try:
            if request.content_type not in _CONTENT_TYPES:
                reply = Reply(error_response("E00002"))
            else:
                reply = self._gateway.handle(decode(body, as_json=as_json))
        except BadRequest as bad:
            reply = Reply(bad.answer)
        delay_ms = self._gateway.faults.delay_ms
        return await self._deliverer.deliver(request, reply, as_json=as_json, delay_ms=delay_ms)

    async def page(self, _: web.Request) -> web.Response:
        return web.Response(text=page(), content_type="text/html")

    async def ledger(self, _: web.Request) -> web.Response:
        return web.json_response({**self._gateway.ledger.as_json(), "webhooks": dict(self._webhooks.counts)})

    async def settle(self, _: web.Request) -> web.Response:
        batch = self._gateway.ledger.settle()
        count = len(batch.transactions) if batch else 0
        return web.json_response({"batchId": batch.id if batch else None, "transactions": count})

    async def plant(self, request: web.Request) -> web.Response:
        try:
            wish = json.loads(await request.read())
            if not isinstance(wish, dict):
                raise BadPlant("give a JSON object")
            planted = plant(self._gateway.ledger, wish)
        except BadPlant as bad:
            return web.json_response({"error": str(bad)}, status=400)
        except ValueError:
            return web.json_response({"error": "give a JSON object"}, status=400)
        except LedgerFull:
            return web.json_response({"error": "the ledger is full"}, status=507)
        return web.json_response({"transId": planted.id})

    async def reset(self, _: web.Request) -> web.Response:
        self._gateway.ledger.reset()
        self._gateway.faults.clear()
        return web.json_response({"reset": True})

    async def review(self, request: web.Request) -> web.Response:
        answer = self._gateway.review(request.match_info["transaction_id"], request.match_info["action"])
        if answer.code != "I00001":
            return web.json_response({"error": "no such transaction is held"}, status=404)
        return web.json_response({"reviewed": True})

    async def fault(self, request: web.Request) -> web.Response:
        try:
            wish = json.loads(await request.read())
            if not isinstance(wish, dict):
                raise BadFault("give a JSON object")
            self._gateway.faults.add(wish)
        except BadFault as bad:
            return web.json_response({"error": str(bad)}, status=400)
        except ValueError:
            return web.json_response({"error": "give a JSON object"}, status=400)
        return web.json_response({"accepted": True})

"""The routes of the sandbox mail provider."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web

from api.sandbox.mandrill.config import MailConfig
from api.sandbox.mandrill.control import Control
from api.sandbox.mandrill.errors import MandrillError
from api.sandbox.mandrill.faults import Faults
from api.sandbox.mandrill.outbox import Outbox
from api.sandbox.mandrill.page import SECURITY_POLICY, outbox_page
from api.sandbox.mandrill.requests import read_body
from api.sandbox.mandrill.searching import Searching
from api.sandbox.mandrill.sending import Sending
from api.sandbox.mandrill.webhooks import Webhooks

API: Final = "/api/1.3"
BODY_MAX_BYTES: Final = 4 * 1024 * 1024

Call = Callable[[web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]


def create_app(config: MailConfig) -> web.Application:
    """An application with an empty outbox of its own. The base URL for clients is its address plus `/api/1.3`."""
    outbox, faults, webhooks = Outbox(config), Faults(config.delay_ms), Webhooks(config)
    control = Control(outbox, faults)

    async def show(_request: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": SECURITY_POLICY}
        page = outbox_page(outbox.messages()).encode(errors="replace")
        return web.Response(body=page, content_type="text/html", charset="utf-8", headers=headers)

    app = web.Application(client_max_size=BODY_MAX_BYTES)
    for path, call in _calls(config, outbox, faults, webhooks).items():
        app.router.add_post(f"{API}/{path}.json", _vendor_route(config, call))
    app.router.add_get("/", show)
    app.router.add_get("/_ledger", control.ledger)
    app.router.add_post("/_ledger/reset", control.reset)
    app.router.add_post("/_faults", control.order_faults)
    app.cleanup_ctx.append(webhooks.run)
    app.on_response_prepare.append(_mark)
    return app


def _calls(config: MailConfig, outbox: Outbox, faults: Faults, webhooks: Webhooks) -> dict[str, Call]:
    """The vendor's calls by their path."""
    searching = Searching(config, outbox)

    def answering(reply: Callable[[dict[str, Any]], Any]) -> Call:
        async def call(_request: web.Request, body: dict[str, Any]) -> web.Response:
            return web.json_response(reply(body))

        return call

    fields = [{"name": name, "state": "active", "view_template": ""} for name in sorted(config.indexed_metadata)]
    return {
        "messages/send": Sending(config, outbox, faults, webhooks).send,
        "messages/search": answering(searching.search),
        "messages/info": answering(searching.info),
        "metadata/list": answering(lambda _: fields),
        "users/ping": answering(lambda _: "PONG!"),
        "users/ping2": answering(lambda _: {"PING": "PONG!"}),
    }


def _vendor_route(config: MailConfig, call: Call) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await call(request, await read_body(request, config.api_key))
        except MandrillError as error:
            return error.response()

    return handle


async def _mark(_request: web.Request, response: web.StreamResponse) -> None:
    """Nobody may mistake this for the vendor."""
    response.headers["X-Sandbox"] = "true"

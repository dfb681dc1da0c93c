"""What the vendor does not have: a ledger to look into, and faults to order. No key; for this machine only."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from api.sandbox.mandrill.faults import Faults
from api.sandbox.mandrill.outbox import Outbox


class Control:
    """GET /_ledger, POST /_ledger/reset, POST /_faults."""

    def __init__(self, outbox: Outbox, faults: Faults) -> None:
        self._outbox = outbox
        self._faults = faults

    async def ledger(self, _request: web.Request) -> web.Response:
        """Every accepted message, oldest first; by email_id, how many were accepted and how many sends asked for."""
        return web.json_response(
            {
                "messages": [message.as_ledger() for message in self._outbox.messages()],
                "sends": dict(self._outbox.accepted),
                "calls": dict(self._outbox.calls),
                "faults": self._faults.as_json(),
            }
        )

    async def reset(self, _request: web.Request) -> web.Response:
        """Forget all messages and all faults."""
        self._outbox.reset()
        self._faults.reset()
        return web.json_response({"messages": 0})

    async def order_faults(self, request: web.Request) -> web.Response:
        try:
            wish: Any = json.loads(await request.read())
            if not isinstance(wish, dict):
                raise ValueError("the body is a JSON object")
            self._faults.order(wish)
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response(self._faults.as_json())

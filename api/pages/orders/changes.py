"""Live pages: a stream of server-sent events (WHATWG HTML, 9.2) that says when an order has changed.

A stream is short on purpose: the browser opens the next one by itself, and a server that stops need not wait long.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from api.pages.asking import PageQuery
from api.pages.failures import PageError, not_found
from api.pages.orders.order_page import order_id_in
from api.pages.orders.people_of import PeopleOf
from api.pages.orders.telling import is_open, mail_is_open
from api.pages.shell import Shell
from api.pages.viewer import ORDER_READERS
from application.event_log import EventLog
from domain.order import Order

LIFETIME_S = 10.0
POLL_S = 0.5
RETRY_MS = 1000
MAX_STREAMS = 100  # per process


@dataclass
class OrderChanges:
    shell: Shell
    events: EventLog
    people: PeopleOf
    _open: set[int] = field(default_factory=set)

    def routes(self) -> list[Route]:
        return [self.shell.page("/orders/{order_id}/changes", self.follow, ORDER_READERS)]

    async def follow(self, request: Request) -> Response:
        """Tells of every version after `version`; ends when nothing more is to come, or after LIFETIME_S."""
        version = PageQuery(request, ("version",)).integer("version") or 0
        order = await self._order(order_id_in(request))
        if order.version == 0:
            raise not_found("order")
        if len(self._open) >= MAX_STREAMS:
            raise PageError(503, "Too many live pages", "Reload the page to see what is new.")
        erased = mail_is_open(order, erased=False) and await self.people.erased(order)
        return StreamingResponse(self._told(order, version, erased), media_type="text/event-stream")

    async def _told(self, order: Order, known: int, erased: bool) -> AsyncIterator[str]:
        ticket = id(asyncio.current_task())
        self._open.add(ticket)
        try:
            yield f"retry: {RETRY_MS}\n\n"
            for _ in range(round(LIFETIME_S / POLL_S)):
                if order.version > known:
                    known = order.version
                    yield f"id: {known}\nevent: changed\ndata: {known}\n\n"
                if not is_open(order, erased=erased):
                    yield "event: ended\ndata: \n\n"
                    return
                await asyncio.sleep(POLL_S)
                order = await self._order(order.id)
        finally:
            self._open.discard(ticket)

    async def _order(self, order_id: UUID) -> Order:
        (order,) = await self.events.load((Order, order_id))
        return order

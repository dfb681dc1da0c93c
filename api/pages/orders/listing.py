"""The list of orders: filters in the address, so that every selection can be shared. It shows no personal data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.pages.asking import PageQuery
from api.pages.shell import Shell, viewer_in
from api.pages.viewer import ORDER_READERS
from api.read_models import ORDERS
from api.views_database import ViewsDatabase
from application.adapters.key_store import KeyStoreUnavailable
from application.event_log import StoreUnavailable
from application.person_search import PersonSearch
from application.ports.erasure import PersonIndexUnavailable
from domain.order_events import OrderState
from projections.orders import OrderFilter, list_orders

PAGE_ROWS = 50
SEARCH_S = 0.1  # for the search index to see what was ordered a moment ago
STATES = tuple(state.value for state in OrderState)
_NAMES = ("q", "state", "from", "to", "promotion", "client", "cursor")


@dataclass(frozen=True)
class OrderList:
    shell: Shell
    views: ViewsDatabase
    search: PersonSearch

    def routes(self) -> list[Route]:
        return [self.shell.page("/orders", self.show, ORDER_READERS)]

    async def show(self, request: Request) -> Response:
        query = PageQuery(request, _NAMES)
        wanted, whole = await self._wanted(request, query)
        position, found = await self.views.read(ORDERS, lambda connection: list_orders(connection, wanted))
        page = found[:PAGE_ROWS]
        asked = query.given
        cursor = asked.pop("cursor", None)
        return self.shell.render(
            request,
            "orders/list.html",
            orders=page,
            query=asked,
            states=STATES,
            next_cursor=str(page[-1]["requested_position"]) if len(found) > PAGE_ROWS else None,
            first=cursor is None,
            position=position,
            whole=whole,
        )

    async def _wanted(self, request: Request, query: PageQuery) -> tuple[OrderFilter, bool]:
        """The filter, and whether a search by people saw every order."""
        text = query.text("q")
        requested_from, requested_before = query.days()
        also, whole = await self._by_person(request, text) if text else ((), True)
        wanted = OrderFilter(
            states=query.choices("state", STATES) or STATES,
            client_id=query.integer("client"),
            requested_from=requested_from,
            requested_to=requested_before,
            promotion_code=query.text("promotion"),
            q=text,
            also=tuple(also),
            before=query.integer("cursor"),
            limit=PAGE_ROWS,
        )
        return wanted, whole

    async def _by_person(self, request: Request, text: str) -> tuple[Sequence[UUID], bool]:
        """Orders by an e-mail address or a property; none while the index cannot be read: names still work."""
        if not viewer_in(request).sees_personal_data:
            return (), True
        try:
            found = await self.search.by_any(text, SEARCH_S)
        except (PersonIndexUnavailable, StoreUnavailable, KeyStoreUnavailable):
            return (), False
        return found.order_ids, found.complete

"""GET /api/v1/orders, /api/v1/orders/{id} and /api/v1/orders/{id}/events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.authentication import Actor
from api.envelope import Envelope
from api.errors import ApiError, invalid, request_id_of
from api.read_models import ORDERS
from api.reading.params import Query, order_id_of
from api.reading.readers import Readers, may_see
from api.statuses import SUCCESS
from api.views_database import ViewsDatabase
from application.adapters.key_store import KeyStoreUnavailable
from application.audit.looks import PERSONAL_VIEWS, RecordLooks, Viewer, look_at
from application.event_log import StoreUnavailable
from application.order_reading import OrderReading, ReadableOrder
from application.order_view import VIEWS
from application.person_search import PersonSearch
from application.ports.erasure import PersonIndexUnavailable
from domain.order_events import OrderState
from projections.orders import OrderFilter, find_orders

MAX_WAIT_S = 2.0  # for `min_position`
SEARCH_S = 0.1  # for the search index to see what was ordered a moment ago
PATH = "/api/v1/orders"
_LIST_PARAMS = (
    "application",
    "view",
    "state",
    "client_id",
    "from",
    "to",
    "promotion_code",
    "q",
    "cursor",
    "limit",
    "min_position",
)


@dataclass(frozen=True)
class ReadOrders:
    """The parts of the routes; one per process."""

    readers: Readers
    reading: OrderReading
    views: ViewsDatabase
    search: PersonSearch
    looks: RecordLooks

    async def many(self, request: Request) -> Response:
        """A page of orders, newest first, and the position that the page was found at."""
        reader = await self.readers.order_reader(request)
        query = Query(request, _LIST_PARAMS)
        wanted = _filter(query, reader)
        view = query.choice("view", VIEWS, "default")
        min_position = query.integer("min_position")
        if min_position is not None and not await self.views.wait_for(min_position, MAX_WAIT_S):
            raise invalid("min_position", "not-reached")
        if wanted.q is not None and reader.sees_all_clients:
            wanted = replace(wanted, also=await self._by_person(wanted.q))
        position, found = await self.views.read(ORDERS, lambda connection: find_orders(connection, wanted))
        page = found[: wanted.limit]
        shown = await self.reading.read_many([order_id for order_id, _ in page], view)
        await self._record_looks(reader, request_id_of(request), f"GET {PATH} view={view}", view, shown)
        data: dict[str, Any] = {
            "orders": [order.shown for order in shown],
            "next_cursor": str(page[-1][1]) if len(found) > wanted.limit else None,
            "position": position,
        }
        return Envelope(SUCCESS, request_id_of(request), data=data).response()

    async def _by_person(self, text: str) -> tuple[UUID, ...]:
        """Orders by an e-mail address or a property; none while the index cannot be read: names still work."""
        try:
            return (await self.search.by_any(text, SEARCH_S)).order_ids
        except (PersonIndexUnavailable, StoreUnavailable, KeyStoreUnavailable):
            return ()

    async def one(self, request: Request, order_id: str) -> Response:
        """One order, always current, or as it was recorded at `at`."""
        reader = await self.readers.order_reader(request)
        query = Query(request, ("application", "view", "at"))
        view, at = query.choice("view", VIEWS, "default"), query.instant("at")
        order = await self.reading.read(_known(order_id), view, at)
        visible = _visible(order, reader)
        await self._record_looks(reader, request_id_of(request), f"GET {PATH}/{{id}} view={view}", view, [visible])
        return Envelope(SUCCESS, request_id_of(request), data={"order": visible.shown}).response()

    async def events(self, request: Request, order_id: str) -> Response:
        """What happened to one order, event by event."""
        reader = await self.readers.order_reader(request)
        Query(request, ("application",))
        found = await self.reading.events(_known(order_id))
        if found is None or not may_see(reader, found[0]):
            raise invalid("id")
        return Envelope(SUCCESS, request_id_of(request), data={"events": found[1]}).response()

    async def render(self, order_id: UUID, view: str, reader: Actor) -> dict[str, Any] | None:
        """The order as pay_and_submit shows it to the one who asked."""
        order = await self.reading.read(order_id, view)
        if order is None or not may_see(reader, order.client_id):
            return None
        if order.requester != reader.requester.id:  # the order that stood in the way, asked for by somebody else
            await self._record_looks(reader, str(order_id), f"POST {PATH}/pay_and_submit view={view}", view, [order])
        return order.shown

    async def _record_looks(
        self, reader: Actor, request: str, reason: str, view: str, orders: Sequence[ReadableOrder]
    ) -> None:
        """Before anything is shown: who sees personal data that is not its own. What cannot be recorded is not shown:
        raises StoreUnavailable and CommitUnknown."""
        if view not in PERSONAL_VIEWS:
            return
        others = [order for order in orders if reader.sees_all_clients or order.client_id not in reader.client_ids]
        looks = [look_at(order.client_id, order.shown) for order in others]
        await self.looks(Viewer(reader.requester.id, request, reason), looks)


def _filter(query: Query, reader: Actor) -> OrderFilter:
    """What the reader asks for, held to what it may see. Raises ApiError invalid-param for a foreign `client_id`."""
    wanted = OrderFilter(
        states=query.choices("state", [state.value for state in OrderState]),
        client_id=query.integer("client_id"),
        requested_from=query.instant("from"),
        requested_to=query.instant("to"),
        promotion_code=query.text("promotion_code"),
        q=query.text("q"),
        before=query.integer("cursor"),
        limit=query.limit(),
    )
    if reader.sees_all_clients:
        return wanted
    if wanted.client_id is None:
        return replace(wanted, client_ids=reader.client_ids)
    if wanted.client_id not in reader.client_ids:
        raise invalid("client_id")
    return wanted


def _known(text: str) -> UUID:
    order_id = order_id_of(text)
    if order_id is None:
        raise invalid("id")
    return order_id


def _visible(order: ReadableOrder | None, reader: Actor) -> ReadableOrder:
    """An order that the reader may not see is answered like one that does not exist."""
    if order is None or not may_see(reader, order.client_id):
        raise ApiError("invalid-param", param="id")
    return order


def orders_router(routes: ReadOrders) -> APIRouter:
    """The FastAPI routes."""
    router = APIRouter()

    async def list_orders(request: Request) -> Response:
        return await routes.many(request)

    async def read_order(request: Request, order_id: str) -> Response:
        return await routes.one(request, order_id)

    async def read_order_events(request: Request, order_id: str) -> Response:
        return await routes.events(request, order_id)

    add = router.add_api_route
    add(PATH, list_orders, methods=["GET"], summary="Search and page through orders", response_class=Response)
    add(PATH + "/{order_id}", read_order, methods=["GET"], summary="Read one order", response_class=Response)
    add(
        PATH + "/{order_id}/events",
        read_order_events,
        methods=["GET"],
        summary="Read what happened to one order",
        response_class=Response,
    )
    return router

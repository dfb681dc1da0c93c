"""GET /api/v1/orders/{id}/explain: every step of an order, with who, when, why and on which inputs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.envelope import Envelope
from api.errors import invalid, request_id_of
from api.explaining import as_json
from api.reading.orders import PATH
from api.reading.params import Query, order_id_of
from api.reading.readers import Readers
from api.statuses import SUCCESS
from application.audit.explanation import Explanation


@dataclass(frozen=True)
class ReadExplanations:
    """The parts of the route; one per process."""

    readers: Readers
    explain: Callable[[UUID], Awaitable[Explanation | None]]

    async def one(self, request: Request, order_id: str) -> Response:
        """The whole story for those who may see all orders and their operators; its own side of it for the client."""
        reader = await self.readers.explain_reader(request)
        Query(request, ("application",))
        known = order_id_of(order_id)
        explanation = await self.explain(known) if known is not None else None
        if explanation is None or not reader.may_see(explanation.client_id):
            raise invalid("id")
        told = explanation if reader.sees_internals else explanation.for_owner()
        return Envelope(SUCCESS, request_id_of(request), data={"explanation": as_json(told)}).response()


def explain_router(routes: ReadExplanations) -> APIRouter:
    """The FastAPI route."""
    router = APIRouter()

    async def explain_order(request: Request, order_id: str) -> Response:
        return await routes.one(request, order_id)

    router.add_api_route(
        PATH + "/{order_id}/explain",
        explain_order,
        methods=["GET"],
        summary="Explain one order, step by step",
        response_class=Response,
    )
    return router

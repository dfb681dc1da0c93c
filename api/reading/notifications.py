"""GET /api/v1/notifications: the notifications tab."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.envelope import Envelope
from api.errors import request_id_of
from api.notification_view import shown_row
from api.read_models import NOTIFICATIONS
from api.reading.params import Query
from api.reading.readers import Readers
from api.statuses import SUCCESS
from api.views_database import ViewsDatabase
from projections.notifications import find_notifications

PATH = "/api/v1/notifications"
STATES = ("new", "seen", "resolved")


@dataclass(frozen=True)
class ReadNotifications:
    """The parts of the route; one per process."""

    readers: Readers
    views: ViewsDatabase

    async def __call__(self, request: Request) -> Response:
        await self.readers.report_reader(request)
        query = Query(request, ("state", "cursor", "limit"))
        state = query.choice("state", (*STATES, ""), "") or None
        before, limit = query.integer("cursor"), query.limit()
        position, rows = await self.views.read(
            NOTIFICATIONS, lambda connection: find_notifications(connection, state=state, before=before, limit=limit)
        )
        page = rows[:limit]
        data: dict[str, Any] = {
            "notifications": [shown_row(row) for row in page],
            "next_cursor": str(page[-1]["raised_position"]) if len(rows) > limit else None,
            "position": position,
        }
        return Envelope(SUCCESS, request_id_of(request), data=data).response()


def notifications_router(route: ReadNotifications) -> APIRouter:
    """The FastAPI route."""
    router = APIRouter()

    async def read_notifications(request: Request) -> Response:
        return await route(request)

    router.add_api_route(
        PATH, read_notifications, methods=["GET"], summary="Read the notifications", response_class=Response
    )
    return router

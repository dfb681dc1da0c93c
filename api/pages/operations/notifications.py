"""The notifications tab: what people should look at, who looked at it, and how it was dealt with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from api.bootstrap import Service
from api.errors import request_id_of
from api.pages.failures import not_found
from api.pages.operations.forms import id_in, reason_in
from api.pages.rendering import link
from api.pages.shell import Shell, viewer_in
from api.pages.viewer import REPORT_READERS
from api.read_models import NOTIFICATIONS
from api.reading.params import Query
from application.operations import NotPossible
from domain.notification import Notification
from projections.notifications import count_notifications, find_notifications

PATH = "/operations/notifications"
STATES = ("new", "seen", "resolved", "all")
PAGE = 30
CATCH_UP_S = 1.0  # so long a form waits until the list shows what it did


@dataclass(frozen=True)
class NotificationPages:
    shell: Shell
    service: Service

    def routes(self) -> list[Route]:
        return [
            self.shell.page(PATH, self.listed, REPORT_READERS),
            self.shell.form(PATH + "/{notification}/seen", self.see, REPORT_READERS),
            self.shell.form(PATH + "/{notification}/resolve", self.resolve, REPORT_READERS),
        ]

    async def listed(self, request: Request) -> Response:
        query = Query(request, ("state", "cursor"))
        state, before = query.choice("state", STATES, "new"), query.integer("cursor")
        wanted = None if state == "all" else state
        _, rows = await self.service.views.read(
            NOTIFICATIONS, lambda connection: find_notifications(connection, state=wanted, before=before, limit=PAGE)
        )
        _, counts = await self.service.views.read(NOTIFICATIONS, count_notifications)
        page = rows[:PAGE]
        acts = await self._acts([row["notification_id"] for row in page])
        return self.shell.render(
            request,
            "operations/notifications.html",
            state=state,
            states=[(one, sum(counts.values()) if one == "all" else counts.get(one, 0)) for one in STATES],
            notifications=[{**row, "acts": acts.get(row["notification_id"], [])} for row in page],
            next_cursor=str(page[-1]["raised_position"]) if len(rows) > PAGE else None,
            first=before is None,
        )

    async def see(self, request: Request, _: dict[str, str]) -> Response:
        """Looking is no action, so it needs no reason."""
        operations = self.service.operations
        try:
            await operations.see_notification(
                id_in(request, "notification", "notification"),
                actor=viewer_in(request).actor,
                request=request_id_of(request),
            )
        except NotPossible:
            raise not_found("notification") from None
        return await self._back(request)

    async def resolve(self, request: Request, fields: dict[str, str]) -> Response:
        reason = reason_in(fields)
        try:
            await self.service.operations.resolve_notification(
                id_in(request, "notification", "notification"),
                actor=viewer_in(request).actor,
                reason=reason,
                request=request_id_of(request),
            )
        except NotPossible:
            raise not_found("notification") from None
        return await self._back(request)

    async def _back(self, request: Request) -> Response:
        """To the list, once it shows what was done."""
        position = await self.service.events.recorder.max_position()
        await self.service.views.wait_for(position, CATCH_UP_S, NOTIFICATIONS)
        return RedirectResponse(link(PATH), 303)

    async def _acts(self, ids: list[UUID]) -> Mapping[UUID, list[dict[str, Any]]]:
        """Who saw and who resolved each, from its own stream; one read for all of a page."""
        acts: dict[UUID, list[dict[str, Any]]] = {}
        for stored in await self.service.events.recorder.select(ids) if ids else []:
            event = self.service.events.codec.decode(stored)
            if isinstance(event, Notification.Seen | Notification.Resolved):
                acts.setdefault(event.originator_id, []).append(
                    {
                        "what": "resolved" if isinstance(event, Notification.Resolved) else "seen",
                        "actor": event.actor,
                        "at": event.timestamp,
                        "reason": getattr(event, "reason", None),
                    }
                )
        return acts

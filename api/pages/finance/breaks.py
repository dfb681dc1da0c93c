"""Settlement breaks: what the log and the gateway disagree about, why, who deals with it, and what to do next."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from api.bootstrap import Service
from api.errors import request_id_of
from api.pages.asking import PageQuery
from api.pages.failures import PageError
from api.pages.operations.forms import id_in, reason_in
from api.pages.rendering import link
from api.pages.shell import Shell, viewer_in
from api.pages.viewer import FINANCE_READERS
from api.read_models import LEDGER, SETTLEMENT_BREAKS
from api.reconciliation import breaks
from application.operations import NotPossible
from projections.ledger.balances import has_settlements
from projections.paging import Page
from projections.settlement_breaks import count_breaks, find_breaks

PATH = "/finance/breaks"
STATES = ("open", "owned", "resolved", "all")
PAGE = 30
CATCH_UP_S = 1.0  # so long a form waits until the list shows what it did


@dataclass(frozen=True)
class BreakPages:
    shell: Shell
    service: Service

    def routes(self) -> list[Route]:
        return [
            self.shell.page(PATH, self.listed, FINANCE_READERS),
            self.shell.form(PATH + "/{break_id}/own", self.own, FINANCE_READERS),
            self.shell.form(PATH + "/{break_id}/resolve", self.resolve, FINANCE_READERS),
        ]

    async def listed(self, request: Request) -> Response:
        query = PageQuery(request, ("state", "cursor"))
        state, before = query.choice("state", STATES, "open"), query.integer("cursor")
        page = Page(PAGE, None if before is None else (before,))
        wanted = None if state == "all" else state
        _, rows = await self.service.views.read(
            SETTLEMENT_BREAKS, lambda connection: find_breaks(connection, page, state=wanted)
        )
        _, counts = await self.service.views.read(SETTLEMENT_BREAKS, count_breaks)
        _, settled = await self.service.views.read(LEDGER, has_settlements)
        return self.shell.render(
            request,
            "finance/breaks.html",
            state=state,
            states=[(one, sum(counts.values()) if one == "all" else counts.get(one, 0)) for one in STATES],
            breaks=rows[:PAGE],
            owned=counts.get("owned", 0),
            compared=settled or bool(counts),
            next_cursor=str(rows[PAGE - 1]["position"]) if len(rows) > PAGE else None,
            first=before is None,
        )

    async def own(self, request: Request, fields: dict[str, str]) -> Response:
        """The one who sends the form takes it on."""
        viewer, reason = viewer_in(request), reason_in(fields)
        break_id = id_in(request, "break_id", "break")
        act = breaks(self.service).own(
            break_id, viewer.actor, actor=viewer.actor, reason=reason, request=request_id_of(request)
        )
        return await self._done(act)

    async def resolve(self, request: Request, fields: dict[str, str]) -> Response:
        viewer, reason = viewer_in(request), reason_in(fields)
        break_id = id_in(request, "break_id", "break")
        act = breaks(self.service).resolve(break_id, actor=viewer.actor, reason=reason, request=request_id_of(request))
        return await self._done(act)

    async def _done(self, act: Awaitable[object]) -> Response:
        try:
            await act
        except NotPossible as refused:
            raise PageError(409, "Not possible", f"{str(refused)[:1].upper()}{str(refused)[1:]}.") from None
        position = await self.service.events.recorder.max_position()
        await self.service.views.wait_for(position, CATCH_UP_S, SETTLEMENT_BREAKS)
        return RedirectResponse(link(PATH), 303)

"""Events that a read model could not take in: what they are, trying them again, giving one up."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from api.bootstrap import Service
from api.jobs import AlreadyRunning
from api.pages.operations.forms import id_in, wisher_of
from api.pages.operations.projections import refused, told
from api.pages.rendering import link
from api.pages.shell import Shell
from api.pages.viewer import OPERATORS
from application.maintenance import DEAD_LETTERS

PATH = "/operations/dead-letters"
MAX_SHOWN = 200
AT_ONCE_S = 5.0  # folding one order's events takes far less


@dataclass(frozen=True)
class DeadLetterPages:
    shell: Shell
    service: Service

    def routes(self) -> list[Route]:
        form = self.shell.form
        return [
            self.shell.page(PATH, self.listed, OPERATORS),
            form(PATH + "/retry", self.retry, OPERATORS),
            form(PATH + "/{stream}/retry", self.retry, OPERATORS),
            form(PATH + "/{stream}/skip", self.skip, OPERATORS),
        ]

    async def listed(self, request: Request) -> Response:
        service = self.service
        found = await service.views.run_blocking(service.read_models.dead_letters.waiting)
        history = await service.maintaining.wishes.history(DEAD_LETTERS)
        streams: dict[str, list[object]] = {}
        for letter in found[:MAX_SHOWN]:
            streams.setdefault(str(letter.stream_id), []).append(letter)
        return self.shell.render(
            request,
            "operations/dead_letters.html",
            streams=streams,
            total=len(found),
            shown=min(len(found), MAX_SHOWN),
            history=[told(event) for event in history],
        )

    async def retry(self, request: Request, fields: dict[str, str]) -> Response:
        stream_id = id_in(request, "stream", "event stream") if "stream" in request.path_params else None
        return await self._done(self.service.maintaining.retry(stream_id, wisher_of(request, fields)))

    async def skip(self, request: Request, fields: dict[str, str]) -> Response:
        stream_id = id_in(request, "stream", "event stream")
        return await self._done(self.service.maintaining.skip(stream_id, wisher_of(request, fields)))

    async def _done(self, begin: Awaitable[None]) -> Response:
        try:
            await begin
        except AlreadyRunning as running:
            raise refused(str(running)) from None
        await self.service.maintaining.wait(AT_ONCE_S)
        return RedirectResponse(link(PATH), 303)

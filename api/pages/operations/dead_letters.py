"""Events that a read model could not take in: what they are, trying them again, giving one up."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from api.bootstrap import Service
from api.jobs import LIMIT_S, AlreadyRunning
from api.pages.operations.forms import id_in, wisher_of
from api.pages.operations.projections import refused, told
from api.pages.rendering import link
from api.pages.shell import Shell
from api.pages.viewer import OPERATORS
from application.maintenance import DEAD_LETTERS

PATH = "/operations/dead-letters"
MAX_SHOWN = 200
JOB_LIMIT = timedelta(seconds=LIMIT_S)
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
        letters = service.read_models.dead_letters
        found, total = await service.views.run_blocking(lambda: (letters.waiting(MAX_SHOWN), letters.count()))
        history = await service.maintaining.wishes.history(DEAD_LETTERS)
        job = service.maintaining.running
        asked = await service.maintaining.wishes.under_way(DEAD_LETTERS, JOB_LIMIT)
        streams: dict[str, list[object]] = {}
        for letter in found:
            streams.setdefault(str(letter.stream_id), []).append(letter)
        return self.shell.render(
            request,
            "operations/dead_letters.html",
            streams=streams,
            total=total,
            shown=len(found),
            history=[told(event) for event in history],
            job=job if job is not None and job.subject == DEAD_LETTERS else None,
            asked=told(asked) if asked else None,
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

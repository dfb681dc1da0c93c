"""The log's seals: how far it is sealed, the last signed checkpoint, and holding the log against all of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from api.bootstrap import Service
from api.jobs import LIMIT_S, AlreadyRunning
from api.pages.failures import PageError, not_found
from api.pages.operations.forms import wisher_of
from api.pages.operations.projections import refused, told
from api.pages.rendering import link
from api.pages.shell import Shell
from api.pages.viewer import FINANCE_READERS
from api.seals import SealedLog
from application.audit.seals.storing import StoredSeal, StoreFailed
from application.maintenance import LOG

PATH = "/finance/log"
SHOWN = 10  # checkpoints
AT_ONCE_S = 1.0
JOB_LIMIT = timedelta(seconds=LIMIT_S)


@dataclass(frozen=True)
class LogPages:
    shell: Shell
    service: Service

    def routes(self) -> list[Route]:
        return [
            self.shell.page(PATH, self.show, FINANCE_READERS),
            self.shell.page(PATH + "/checkpoint.txt", self.checkpoint, FINANCE_READERS),
            self.shell.form(PATH + "/verify", self.verify, FINANCE_READERS),
        ]

    async def show(self, request: Request) -> Response:
        service = self.service
        try:
            status = await service.sealing.seals.status()
            newest = await service.views.run_blocking(lambda: self._newest(SHOWN))
        except StoreFailed:
            raise PageError(503, "Not readable now", "The seals cannot be read at the moment.") from None
        head = await service.events.recorder.max_position()
        history = await service.maintaining.wishes.history(LOG)
        job = service.maintaining.running
        asked = await service.maintaining.wishes.under_way(LOG, JOB_LIMIT)
        return self.shell.render(
            request,
            "finance/log.html",
            status=status,
            head=head,
            unsealed=max(0, head - (status.last.position if status.last else 0)),
            checkpoints=[seal.checkpoint for seal in newest],
            history=[told(event) for event in history],
            job=job if job is not None and job.subject == LOG else None,
            asked=told(asked) if asked else None,
        )

    async def checkpoint(self, _: Request) -> Response:
        """The last signed note, to be kept somewhere else."""
        newest = await self.service.views.run_blocking(lambda: self._newest(1))
        if not newest:
            raise not_found("checkpoint yet")
        name = f"checkpoint-{newest[0].checkpoint.tree_size}.txt"
        return PlainTextResponse(newest[0].note, headers={"Content-Disposition": f'attachment; filename="{name}"'})

    async def verify(self, request: Request, fields: dict[str, str]) -> Response:
        maintaining = self.service.maintaining
        try:
            await maintaining.verify_log(wisher_of(request, fields))
        except AlreadyRunning as running:
            raise refused(str(running)) from None
        await maintaining.wait(AT_ONCE_S)
        return RedirectResponse(link(PATH), 303)

    def _newest(self, limit: int) -> list[StoredSeal]:
        log = SealedLog(self.service.settings)
        try:
            return list(log.store.newest(limit))
        finally:
            log.close()

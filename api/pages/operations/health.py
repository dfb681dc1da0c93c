"""The first page of operations: whether everything runs, who does the work, and what waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.bootstrap import Service
from api.doctor.work import LATE_S
from api.health import health_checks
from api.pages import formatting
from api.pages.shell import Shell
from api.pages.viewer import OPERATORS
from api.read_models import NOTIFICATIONS
from application.adapters.seals.covering import SealStatus
from application.adapters.sql import Busy
from application.audit.seals.storing import StoreFailed
from projections.at_work import AtWork, read_at_work
from projections.notifications import count_notifications
from projections.open_work import CORRECTION, EMAIL, PAYMENT
from projections.stuck_work import Backlog, read_backlog

KINDS = {
    PAYMENT: "Payments whose outcome is open",
    CORRECTION: "Charges to be taken back",
    EMAIL: "Confirmations to be sent",
    "reconcile": "Gateway against log",
}


@dataclass(frozen=True)
class HealthPage:
    shell: Shell
    service: Service

    def routes(self) -> list[Route]:
        return [self.shell.page("/operations", self.show, OPERATORS)]

    async def show(self, request: Request) -> Response:
        service = self.service
        checks, status = await health_checks(service)
        at_work: AtWork = await service.views.run_blocking(lambda: read_at_work(service.read_models.storage))
        seals = await self._seals()
        _, notifications = await service.views.read(NOTIFICATIONS, count_notifications)
        return self.shell.render(
            request,
            "operations/health.html",
            checks=[
                *(_shown(name, check) for name, check in checks.items()),
                _sealing(seals, checks["log"]),
                _punctual(await service.views.run_blocking(self._backlog)),
            ],
            status=status,
            at_work=at_work,
            open={crew.kind: crew.open for crew in at_work.crews},
            kinds=KINDS,
            notifications=notifications,
        )

    def _backlog(self) -> list[Backlog]:
        with self.service.read_models.storage.control.connect() as connection:
            return read_backlog(connection, LATE_S)

    async def _seals(self) -> SealStatus | None:
        try:
            return await self.service.sealing.seals.status()
        except (StoreFailed, TimeoutError, Busy):
            return None


def _punctual(backlog: Sequence[Backlog]) -> dict[str, str]:
    """Whether background work is done when it is due. It is done by another process, whose errors are not seen here."""
    late = [f"{formatting.count(work.overdue)} {work.kind}" for work in backlog if work.overdue]
    if late:
        said = f"overdue for more than {formatting.duration(LATE_S)}: {', '.join(late)}"
        return {"name": "background work", "state": "broken", "said": said}
    return {"name": "background work", "state": "ok", "said": "nothing is overdue"}


def _sealing(seals: SealStatus | None, log: Mapping[str, Any]) -> dict[str, str]:
    """Whether the log is being sealed, and how far behind its end that is."""
    if seals is None:
        return {"name": "seals", "state": "broken", "said": "cannot be read now"}
    if seals.problem:
        return {"name": "seals", "state": "broken", "said": f"sealing has stopped: {seals.problem}"}
    if seals.stale:
        return {"name": "seals", "state": "stale", "said": "nobody seals"}
    behind = max(0, log.get("position", 0) - (seals.last.position if seals.last else 0))
    return {"name": "seals", "state": "ok", "said": f"{formatting.count(behind)} positions not sealed yet"}


def _shown(name: str, check: Mapping[str, Any]) -> dict[str, str]:
    """One check in words."""
    match name, check:
        case _, {"ok": False, "error": error}:
            said = f"cannot be read now ({error})"
        case "log", {"position": position}:
            said = f"ends at position {formatting.count(position)}"
        case "projections", {"lag_events": lag, "position": position}:
            said = f"read up to position {formatting.count(position)}, at most {formatting.count(lag)} events behind"
        case _:
            said = "can be read"
    return {"name": name, "state": "ok" if check["ok"] else "broken", "said": said}

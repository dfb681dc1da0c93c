"""The first page of operations: whether everything runs, who does the work, and what waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.bootstrap import Service
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
            checks=[*(_shown(name, check) for name, check in checks.items()), _sealing(seals, checks["log"])],
            status=status,
            at_work=at_work,
            open={crew.kind: crew.open for crew in at_work.crews},
            kinds=KINDS,
            notifications=notifications,
            projector_error=service.projector.last_error,
            worker_error=service.worker.last_error,
        )

    async def _seals(self) -> SealStatus | None:
        try:
            return await self.service.sealing.seals.status()
        except (StoreFailed, TimeoutError, Busy):
            return None


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

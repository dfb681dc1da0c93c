"""The read models: how each stands, and rebuilding, accepting and rolling back, with progress while it runs."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from api.bootstrap import Service
from api.jobs import AlreadyRunning, Job
from api.pages.failures import PageError, not_found
from api.pages.operations.forms import wisher_of
from api.pages.rendering import link
from api.pages.shell import Shell
from api.pages.viewer import OPERATORS
from api.read_models import MODELS, model_named
from domain.maintenance import Maintenance
from projections.at_work import read_at_work
from projections.model import ReadModel
from projections.process_locks import LockHeld, process_lock
from projections.status import Standing, Status
from projections.storage import Storage

PATH = "/operations/projections"
AT_ONCE_S = 0.4  # so long a form waits for what it began: most of it has ended by then


@dataclass(frozen=True)
class ProjectionPages:
    shell: Shell
    service: Service

    def routes(self) -> list[Route]:
        page, form = self.shell.page, self.shell.form
        return [
            page(PATH, self.listed, OPERATORS),
            page(PATH + "/{name}", self.show, OPERATORS),
            form(PATH + "/{name}/rebuild", self.rebuild, OPERATORS),
            form(PATH + "/{name}/accept/{digest}", self.accept, OPERATORS),
            form(PATH + "/{name}/rollback", self.roll_back, OPERATORS),
            form(PATH + "/{name}/stop", self.stop, OPERATORS),
        ]

    async def listed(self, request: Request) -> Response:
        status, building = await self._read()
        shown = [{"standing": one, "state": _state(one, building)} for one in status.projections]
        rebuilt = [model.name for model in MODELS]  # the others have no generations
        return self.shell.render(
            request, "operations/projections.html", status=status, projections=shown, rebuilt=rebuilt
        )

    async def show(self, request: Request) -> Response:
        model = _model(request)
        status, building = await self._read()
        standing = next(one for one in status.projections if one.name == model.name)
        job = self.service.maintaining.job
        ours = job if job is not None and job.subject == model.name else None
        history = await self.service.maintaining.wishes.history(model.name)
        running = model.name in building or (ours is not None and ours.ending is None)
        return self.shell.render(
            request,
            "operations/projection.html",
            standing=standing,
            state=_state(standing, building),
            head=status.head or 0,
            running=running,
            job=ours if ours is not None and ours.ending is None else None,
            progress=_progress(standing, ours, status) if running else None,
            history=[told(event) for event in history],
            differences=_differences(history) if standing.waits_for_decision else (),
        )

    # --- actions ------------------------------------------------------------------------------------------------------

    async def rebuild(self, request: Request, fields: dict[str, str]) -> Response:
        model, by = _model(request), wisher_of(request, fields)
        await self._require_free(model)
        return await self._begun(model, self.service.maintaining.rebuild(model, by))

    async def accept(self, request: Request, fields: dict[str, str]) -> Response:
        model, by = _model(request), wisher_of(request, fields)
        await self._require_free(model)
        digest = request.path_params["digest"]
        status = await self.service.views.run_blocking(self.service.read_models.status)
        if digest not in [one.waits_for_decision for one in status.projections if one.name == model.name]:
            raise refused(f"no generation of {model.name} with these rows waits to be accepted: rebuild it first")
        return await self._begun(model, self.service.maintaining.accept(model, digest, by))

    async def roll_back(self, request: Request, fields: dict[str, str]) -> Response:
        model, by = _model(request), wisher_of(request, fields)
        await self._require_free(model)
        return await self._begun(model, self.service.maintaining.roll_back(model, by))

    async def stop(self, request: Request, fields: dict[str, str]) -> Response:
        """Only what runs in this process; what was built is kept, and its end says who stopped it and why."""
        model, by = _model(request), wisher_of(request, fields)
        job = self.service.maintaining.running
        if job is None or job.subject != model.name:
            raise PageError(409, "Not here", "Nothing runs for it in this server process; another one may be at work.")
        self.service.maintaining.stop(by)
        await self.service.maintaining.wait(AT_ONCE_S)
        return RedirectResponse(link(f"{PATH}/{model.name}"), 303)

    async def _begun(self, model: ReadModel, begin: Awaitable[None]) -> Response:
        try:
            await begin
        except AlreadyRunning as running:
            raise refused(str(running)) from None
        await self.service.maintaining.wait(AT_ONCE_S)
        return RedirectResponse(link(f"{PATH}/{model.name}"), 303)

    async def _require_free(self, model: ReadModel) -> None:
        """Another process, or a command, may be rebuilding it."""
        running = self.service.maintaining.running
        if running is not None:
            raise refused(f"{running.what} of {running.subject} is still running; wait until it ends")
        storage = self.service.read_models.storage
        if await self.service.views.run_blocking(lambda: _is_rebuilt(storage, model)):
            raise refused(f"another process is rebuilding {model.name}; wait until it ends")

    async def _read(self) -> tuple[Status, frozenset[str]]:
        """How all stand, and which are being rebuilt by anybody."""
        models = self.service.read_models
        status = await self.service.views.run_blocking(models.status)
        at_work = await self.service.views.run_blocking(lambda: read_at_work(models.storage))
        held = {lease.name for lease in at_work.leases if not lease.expired}
        return status, frozenset(one.name for one in status.projections if f"rebuild-{one.name}" in held)


def _model(request: Request) -> ReadModel:
    model = model_named(request.path_params["name"])
    if model is None:
        raise not_found("projection")
    return model


def refused(text: str) -> PageError:
    return PageError(409, "Not now", f"{text[:1].upper()}{text[1:]}.")


def _is_rebuilt(storage: Storage, model: ReadModel) -> bool:
    """Whether a living process holds the lock, which says it before anything is recorded; the rebuild takes it anew."""
    try:
        with process_lock(storage, f"rebuild-{model.name}"):
            return False
    except LockHeld:
        return True


def _state(standing: Standing, building: frozenset[str]) -> str:
    """In one word, the most urgent first."""
    if standing.name in building:
        return "building"
    for state, holds in (
        ("error", standing.last_error),
        ("rebuild-needed", standing.rebuild_needed),
        ("difference", standing.waits_for_decision),
        ("attention", standing.dead_letters),
        ("catching-up", standing.lag_events),
    ):
        if holds:
            return state
    return "ok"


def _progress(standing: Standing, job: Job | None, status: Status) -> dict[str, Any]:
    """From the job where it runs in this process, else from the generation itself."""
    told = job.progress if job is not None else None
    target = told.target if told else status.head or 0
    position = told.position if told else standing.building_position or 0
    return {
        "position": position,
        "target": target,
        "percent": 100.0 if target == 0 else min(100.0, 100 * position / target),
        "events_per_s": told.events_per_s if told else None,
        "eta_s": told.eta_s if told else None,
    }


def told(event: Maintenance.Event) -> dict[str, Any]:
    """One line of what was done about a read model or the dead letters."""
    return {
        "at": event.timestamp,
        "actor": event.actor,
        "what": event.TOPIC.split(".")[1],  # type: ignore[attr-defined]
        "reason": getattr(event, "reason", None),
        "outcome": getattr(event, "outcome", None),
        "text": getattr(event, "text", None),
        "stream_id": getattr(event, "stream_id", None),
        "details": getattr(event, "details", ()),
    }


def _differences(history: list[Maintenance.Event]) -> tuple[str, ...]:
    """The rows that the last comparison found to differ."""
    ended = (event for event in history if isinstance(event, Maintenance.Ended) and event.outcome == "different")
    found = next(ended, None)
    return found.details if found else ()

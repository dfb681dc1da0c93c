"""GET /health/live, /health/ready and /metrics: for load balancers and monitoring, not for clients."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from starlette.responses import JSONResponse, Response

from api.seal_metrics import seal_metrics
from projections.status import Standing, Status

if TYPE_CHECKING:
    from api.bootstrap import Service

MAX_LAG_EVENTS = 10_000  # beyond it the lists are too old to be called ready


def health_router(service: Service) -> APIRouter:
    """The routes; each answer is made when it is asked for."""
    router = APIRouter()

    async def live() -> Response:
        return JSONResponse({"status": "live"})

    async def ready() -> Response:
        checks, _ = await health_checks(service)
        ok = all(check["ok"] for check in checks.values())
        return JSONResponse({"status": "ready" if ok else "not-ready", "checks": checks}, 200 if ok else 503)

    async def metrics() -> Response:
        return Response(await _metrics(service), media_type=CONTENT_TYPE_LATEST)

    router.add_api_route("/health/live", live, summary="Whether the process runs", response_class=JSONResponse)
    router.add_api_route("/health/ready", ready, summary="Whether it can serve", response_class=JSONResponse)
    router.add_api_route("/metrics", metrics, summary="Figures for Prometheus", response_class=Response)
    return router


async def health_checks(service: Service) -> tuple[dict[str, dict[str, Any]], Status | None]:
    """What readiness is made of, by name, and how the projections stand where that can be read."""
    checks: dict[str, dict[str, Any]] = {}
    try:
        checks["log"] = {"ok": True, "position": await service.events.recorder.max_position()}
    except Exception as error:
        checks["log"] = {"ok": False, "error": type(error).__name__}
    try:
        await service.directory.application("planoorder")
        checks["directory"] = {"ok": True}
    except Exception as error:
        checks["directory"] = {"ok": False, "error": type(error).__name__}
    try:
        status = await service.views.run_blocking(service.read_models.status)
    except Exception as error:
        checks["projections"] = {"ok": False, "error": type(error).__name__}
        return checks, None
    checks["projections"] = _projections(status)
    return checks, status


def _projections(status: Status) -> dict[str, Any]:
    """Whether the lists are fresh enough to be shown. The rest is told, and no reason to stop."""
    served = [standing for standing in status.projections if standing.generation is not None]
    lag = max((standing.lag_events for standing in served), default=0)
    return {
        "ok": lag <= MAX_LAG_EVENTS and len(served) == len(status.projections),
        "position": min((standing.position for standing in served), default=0),
        "lag_events": lag,
        "stale": status.leader.stale,
        "dead_letters": sum(standing.dead_letters for standing in served),
        "rebuild_needed": [standing.name for standing in status.projections if standing.rebuild_needed],
    }


async def _metrics(service: Service) -> bytes:
    registry = CollectorRegistry()
    checks, status = await health_checks(service)
    up = Gauge("orders_check_ok", "1 where the check passes", ["check"], registry=registry)
    for name, check in checks.items():
        up.labels(name).set(1 if check["ok"] else 0)
    log_position = Gauge("orders_log_position", "Position of the last event", registry=registry)
    log_position.set(checks["log"].get("position", 0))
    under_way = Gauge("orders_under_way", "Orders that this process is working on", registry=registry)
    under_way.set(service.under_way)
    if status is not None:
        _projection_metrics(status, registry)
    with suppress(Exception):  # the log's own check says that the database is away
        seal_metrics(await service.sealing.seals.status(), checks["log"].get("position", 0), registry)
    return generate_latest(registry)


def _projection_metrics(status: Status, registry: CollectorRegistry) -> None:
    stale = Gauge("orders_projector_stale", "1 where nobody follows the log, whatever the lag", registry=registry)
    stale.set(1 if status.leader.stale else 0)
    heard = Gauge("orders_projector_heartbeat_age_seconds", "Since the leader was last heard of", registry=registry)
    heard.set(status.leader.age_s if status.leader.age_s is not None else float("inf"))
    for name, text, value in (
        ("position", "How far it has followed the log", lambda s: s.position),
        ("lag_events", "Events that it has not seen", lambda s: s.lag_events),
        ("lag_seconds", "How long the oldest of them has waited", lambda s: s.lag_s),
        ("generation", "The generation that is served", lambda s: s.generation or 0),
        ("dead_letters", "Events that are set aside", lambda s: s.dead_letters),
        ("rebuild_needed", "1 where its rows were made by other code", lambda s: int(s.rebuild_needed)),
        ("failing", "1 where its last try failed", lambda s: int(s.last_error is not None)),
    ):
        gauge = Gauge(f"orders_projection_{name}", text, ["projection"], registry=registry)
        for standing in status.projections:
            gauge.labels(standing.name).set(_number(value, standing))


def _number(value: Any, standing: Standing) -> float:
    return float(value(standing))

"""GET /health/live, /health/ready and /metrics: for load balancers and monitoring, not for clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from api.bootstrap import Service

MAX_LAG_EVENTS = 10_000  # beyond it the lists are too old to be called ready


def health_router(service: Service) -> APIRouter:
    """The routes; each answer is made when it is asked for."""
    router = APIRouter()

    async def live() -> Response:
        return JSONResponse({"status": "live"})

    async def ready() -> Response:
        checks = await _checks(service)
        ok = all(check["ok"] for check in checks.values())
        return JSONResponse({"status": "ready" if ok else "not-ready", "checks": checks}, 200 if ok else 503)

    async def metrics() -> Response:
        return Response(await _metrics(service), media_type=CONTENT_TYPE_LATEST)

    router.add_api_route("/health/live", live, summary="Whether the process runs", response_class=JSONResponse)
    router.add_api_route("/health/ready", ready, summary="Whether it can serve", response_class=JSONResponse)
    router.add_api_route("/metrics", metrics, summary="Figures for Prometheus", response_class=Response)
    return router


async def _checks(service: Service) -> dict[str, dict[str, Any]]:
    checks: dict[str, dict[str, Any]] = {}
    head = 0
    try:
        head = await service.events.recorder.max_position()
        checks["log"] = {"ok": True, "position": head}
    except Exception as error:
        checks["log"] = {"ok": False, "error": type(error).__name__}
    try:
        await service.directory.application("planoorder")
        checks["directory"] = {"ok": True}
    except Exception as error:
        checks["directory"] = {"ok": False, "error": type(error).__name__}
    try:
        position = await service.views.position()
        lag = max(0, head - position)
        checks["projections"] = {"ok": lag <= MAX_LAG_EVENTS, "position": position, "lag_events": lag}
    except Exception as error:
        checks["projections"] = {"ok": False, "error": type(error).__name__}
    return checks


async def _metrics(service: Service) -> bytes:
    registry = CollectorRegistry()
    checks = await _checks(service)
    up = Gauge("orders_check_ok", "1 where the check passes", ["check"], registry=registry)
    for name, check in checks.items():
        up.labels(name).set(1 if check["ok"] else 0)
    log_position = Gauge("orders_log_position", "Position of the last event", registry=registry)
    log_position.set(checks["log"].get("position", 0))
    lag = Gauge("orders_projection_lag_events", "Events that the read models have not seen", registry=registry)
    lag.set(checks["projections"].get("lag_events", 0))
    under_way = Gauge("orders_under_way", "Orders that this process is working on", registry=registry)
    under_way.set(service.under_way)
    return generate_latest(registry)

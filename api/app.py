"""The ASGI application: the routes of one process, and its life from start to stop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI

from api import docs, openapi
from api.bootstrap import Service
from api.health import health_router
from api.http_app import HttpApp
from api.logs import configure_logging
from api.pages.console import add_console
from api.pay_and_submit.route import add_pay_and_submit
from api.reading.explain import explain_router
from api.reading.notification_actions import notification_actions_router
from api.reading.notifications import notifications_router
from api.reading.orders import orders_router
from api.reading.reports import reports_router
from api.settings import Settings, load_settings
from api.webhooks.routes import webhooks_router


def create_app(
    settings: Settings | None = None, *, work: bool = True, wake: Callable[[], None] | None = None
) -> FastAPI:
    """The application for one process. Its databases have been migrated before.

    `work`: whether this process also does the background work. `wake`: called after every write, for whoever else
    does it.
    """
    settings = settings or load_settings()
    configure_logging(settings)
    service = Service(settings)
    if wake is not None:
        service.recorder.wake = wake

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if work:
            service.start_work()
        try:
            yield
        finally:
            await service.close()

    app = HttpApp(
        title="Pay and submit",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a path with another slash is another path: route-non-existent
        openapi_url="/openapi.json",
        # Whoever configures OpenTelemetry would get the messages of errors, which may hold what was sent.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.service = service
    add_pay_and_submit(app, service.pay_and_submit_route())
    app.include_router(orders_router(service.read_orders()))
    app.include_router(explain_router(service.read_explanations()))
    app.include_router(notifications_router(service.read_notifications()))
    app.include_router(notification_actions_router(service.notification_actions()))
    app.include_router(reports_router(service.read_reports()))
    app.include_router(webhooks_router(service.authorizenet_webhook(), service.mandrill_webhook()))
    app.include_router(health_router(service))
    app.include_router(docs.docs_router())
    add_console(app, service)
    openapi.describe(app)
    return app

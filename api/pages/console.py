"""The console as one ASGI application, and the errors that it shows as pages."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from api.bootstrap import Service
from api.errors import ApiError, request_id_of
from api.pages.assets import asset_routes
from api.pages.failures import PageError, not_found
from api.pages.finance.routes import finance_routes
from api.pages.guarding import SecurityHeaders
from api.pages.operations.routes import operations_routes
from api.pages.orders.routes import order_routes
from api.pages.overview import Overview
from api.pages.reports.routes import ReportPages
from api.pages.sandbox import example_sessions, notice_for, offers_example_people
from api.pages.shell import Shell
from api.pages.signing_in import SigningIn
from api.pages.visits import PATH, Visits
from api.statuses import STATUSES
from application.adapters.key_store import KeyStoreUnavailable
from application.adapters.query_limit import TookTooLong
from application.adapters.sql import Busy
from application.audit.seals.storing import StoreFailed
from application.event_log import CommitUnknown, StoreUnavailable
from application.ports import DirectoryUnavailable
from projections.registry import RebuildNeeded

logger = logging.getLogger(__name__)

# Also a pool without a free connection (SQLAlchemy's own TimeoutError), and threads without a free place.
_UNAVAILABLE = (
    DirectoryUnavailable, StoreUnavailable, CommitUnknown, KeyStoreUnavailable, RebuildNeeded, StoreFailed, Busy,
    DBAPIError, PoolTimeout, TimeoutError,
)  # fmt: skip
_LATER = "The database cannot be read at the moment. Try again in a while."
_LOOK_FIRST = " Open the page first: what you sent may have been done."
_TOO_LONG = (
    "Adding this up takes longer than a page may. Choose a shorter range, a whole day instead of an instant or a"
    " position, or use the command line: orders ledger."
)


def add_console(app: FastAPI, service: Service) -> None:
    """Serve the console below /console. Comes after the API's own routes, which are then found first."""
    app.add_route(PATH, _to_console, include_in_schema=False)
    # The headers are outermost, so that a crash's page has them too.
    app.mount(PATH, SecurityHeaders(_pages(service), https_only=service.settings.in_production))


def _pages(service: Service) -> Starlette:
    settings = service.settings
    shell = Shell(
        Visits(settings.secret_key.get_secret_value().encode(), always_secure=settings.in_production),
        service.authenticator(),
        service.clock,
        notice_for(settings),
    )
    app = Starlette(routes=_routes(service, shell))
    app.router.redirect_slashes = False
    for kind, code in ((PageError, 0), (ApiError, 400), (HTTPException, 0)):
        app.add_exception_handler(kind, _shown(shell, code))
    for unavailable in _UNAVAILABLE:
        app.add_exception_handler(unavailable, _shown(shell, 503))
    app.add_exception_handler(Exception, _shown(shell, 500))
    return app


def _routes(service: Service, shell: Shell) -> list[BaseRoute]:
    """Each area makes its own routes from the shell and the parts of the service."""
    examples = example_sessions(service.derived) if offers_example_people(service.settings) else {}
    return [
        *asset_routes(),
        *SigningIn(shell, service.fresh, examples).routes(),
        *Overview(shell, service).routes(),
        *order_routes(service, shell),
        *finance_routes(shell, service),
        *ReportPages(shell, service.views).routes(),
        *operations_routes(shell, service),
    ]


async def _to_console(_: Request) -> Response:
    return RedirectResponse(f"{PATH}/", 308)


def _shown(shell: Shell, code: int) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def show(request: Request, error: Exception) -> Response:
        problem = _problem(error, code, sent=request.method == "POST")
        if problem.code >= 500:
            logger.error("console request_id=%s %s", request_id_of(request), type(error).__name__)
        return shell.render(
            request, "error.html", problem.code, code=problem.code, heading=problem.heading, text=problem.text
        )

    return show


def _problem(error: Exception, code: int, *, sent: bool) -> PageError:
    match error:
        case PageError():
            return error
        case TookTooLong():
            return PageError(503, "This takes too long", _TOO_LONG)
        case ApiError(param=param, status=status):
            where = f" Look at: {param}." if param else ""
            return PageError(STATUSES[status].code, "This cannot be shown as asked", f"{status}.{where}")
        case HTTPException(status_code=405):
            return PageError(405, "Not this way", "This address takes another method.")
        case HTTPException(status_code=status_code):
            return not_found() if status_code == 404 else PageError(status_code, "Not possible", "")
    if code == 503:
        return PageError(503, "Not readable now", _LATER + (_LOOK_FIRST if sent else ""))
    return PageError(500, "Something broke", "This is our fault. Tell operations the request id below.")

"""From exception to answer: an `ApiError` may be raised anywhere, and nothing else ever reaches a client."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.envelope import Envelope, new_request_id

logger = logging.getLogger(__name__)

# The rest of such a body may never come, so its connection is not kept.
_CLOSING_DETAILS = frozenset({"body-too-slow", "body-incomplete"})


class ApiError(Exception):
    """A request that ends with a status other than success. Holds no submitted value: only slugs, paths and views."""

    def __init__(
        self,
        status: str,
        *,
        param: str | None = None,
        detail: str | None = None,
        retry_after_seconds: int | None = None,
        data: Mapping[str, Any] | None = None,
        session: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(status, param, detail)
        self.status = status
        self.param = param
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds
        self.data = data
        self.session = session


def missing(param: str) -> ApiError:
    return ApiError("missing-param", param=param)


def invalid(param: str, detail: str | None = None) -> ApiError:
    return ApiError("invalid-param", param=param, detail=detail)


def name_request(scope: Scope) -> str:
    """Give the request an id of its own, under which the answer, the log and the events know it."""
    request_id = new_request_id()
    scope.setdefault("state", {})["request_id"] = request_id
    return request_id


def request_id_of(request: Request) -> str:
    """The id that `name_request` gave the request."""
    request_id: str = request.scope["state"]["request_id"]
    return request_id


def show(request: Request, **views: Any) -> None:
    """Have the answer carry these views (`session=`, `application=`), however the request ends."""
    request.scope["state"]["shown"] = {**shown(request), **views}


def shown(request: Request) -> Mapping[str, Any]:
    views: Mapping[str, Any] = request.scope["state"].get("shown", {})
    return views


def id_header(request_id: str) -> tuple[bytes, bytes]:
    return b"x-request-id", request_id.encode()


def answer(request: Request, error: ApiError) -> Response:
    views = dict(shown(request))
    if error.session is not None:
        views["session"] = error.session
    envelope = Envelope(
        error.status,
        request_id_of(request),
        data=error.data,
        param=error.param,
        detail=error.detail,
        retry_after_seconds=error.retry_after_seconds,
        shown=views,
    )
    return envelope.response({"Connection": "close"} if error.detail in _CLOSING_DETAILS else None)


async def _on_api_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return answer(request, error)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """What the web framework itself refuses: no such path, or another method on a known path."""
    assert isinstance(error, HTTPException)
    match error.status_code:
        case 404 | 405:
            return answer(request, ApiError("route-non-existent"))
        case 413:
            return answer(request, ApiError("invalid-encoded-params", detail="body-too-large"))
        case _:
            logger.error("application-crash request_id=%s http_code=%d", request_id_of(request), error.status_code)
            return answer(request, ApiError("application-crash"))


async def _on_validation_error(request: Request, error: Exception) -> Response:
    """A path or query parameter that the web framework found wrong; its own answer would echo the value."""
    assert isinstance(error, RequestValidationError)
    first = next((found for found in error.errors() if found["type"] == "missing"), error.errors()[0])
    param = str(first["loc"][1]) if len(first["loc"]) > 1 else None  # a declared name; loc[0] is query or path
    return answer(request, ApiError("missing-param" if first["type"] == "missing" else "invalid-param", param=param))


def crash_answer(request: Request, crash: Exception) -> Response:
    """What whoever asked is told of a fault that nobody foresaw; the log says where it was."""
    logger.error("application-crash request_id=%s %s", request_id_of(request), _where(crash))
    return answer(request, ApiError("application-crash"))


class RequestBoundary:
    """Outermost of ours: names the request, and turns whatever nobody foresaw into `application-crash`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = name_request(scope)
        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message["headers"], id_header(request_id)]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception as crash:
            response = crash_answer(Request(scope), crash)
            if not started:
                await response(scope, receive, send_with_id)


def _where(crash: BaseException) -> str:
    """Types and code lines of an exception and its causes. Its texts stay out: they may hold what was submitted."""
    parts: list[str] = []
    seen: BaseException | None = crash
    while seen is not None and len(parts) < 5:
        frames = "".join(traceback.format_list(traceback.extract_tb(seen.__traceback__)))
        parts.append(f"{type(seen).__module__}.{type(seen).__qualname__}\n{frames}")
        seen = seen.__cause__ or seen.__context__
    return "caused by ".join(parts)


def install(app: FastAPI) -> None:
    """Give the app the request boundary and the handlers of this module."""
    app.add_middleware(RequestBoundary)
    app.add_exception_handler(ApiError, _on_api_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_validation_error)

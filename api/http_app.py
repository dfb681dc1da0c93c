"""The FastAPI application, with a way past the framework's layers for the route that every order takes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api import errors

Endpoint = Callable[[Request], Awaitable[Response]]


class HttpApp(FastAPI):
    """Answers in our one shape, whatever fails.

    Whoever waits inside a dozen layers passes through all of them each time that it goes on, and an order waits for
    two vendors and three commits. So a route may be `direct`: found by method and path alone, ahead of the framework.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        errors.install(self)
        self._direct: dict[tuple[str, str], ASGIApp] = {}

    def add_direct_route(self, method: str, path: str, endpoint: Endpoint, **described: Any) -> None:
        """A route whose endpoint takes the request and gives the response, and reads nothing by FastAPI's means.

        What `RequestBoundary` does for the others is done here, without a part of its own to send through.
        It is a FastAPI route too, which describes it and knows it when it is asked with another method.
        """

        async def answered(scope: Scope, receive: Receive, send: Send) -> None:
            request_id = errors.name_request(scope)
            request = Request(scope, receive, send)
            try:
                try:
                    response = await endpoint(request)
                except errors.ApiError as error:
                    response = errors.answer(request, error)
            except Exception as crash:
                response = errors.crash_answer(request, crash)
            response.raw_headers.append(errors.id_header(request_id))
            await response(scope, receive, send)

        self.router.add_api_route(path, endpoint, methods=[method], response_class=Response, **described)
        self._direct[method, path] = answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (direct := self._direct.get((scope["method"], scope["path"]))):
            await direct(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

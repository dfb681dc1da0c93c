"""The webhook routes."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.webhooks import authorizenet, mandrill


def webhooks_router(gateway: authorizenet.AuthorizeNetWebhook, mail: mandrill.MandrillWebhook) -> APIRouter:
    """Not part of the API description: only the vendors call them."""
    router = APIRouter(include_in_schema=False)

    async def from_authorizenet(request: Request) -> Response:
        return await gateway(request)

    async def from_mandrill(request: Request) -> Response:
        return await mail(request)

    async def check_mandrill(request: Request) -> Response:
        return await mail.check(request)

    router.add_api_route(authorizenet.PATH, from_authorizenet, methods=["POST"], response_class=Response)
    router.add_api_route(mandrill.PATH, from_mandrill, methods=["POST"], response_class=Response)
    router.add_api_route(mandrill.PATH, check_mandrill, methods=["HEAD"], response_class=Response)
    return router

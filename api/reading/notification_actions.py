"""POST /api/v1/notifications/{id}/seen and /resolve: for those who may read the notifications."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.authentication import Authenticated
from api.decoding import decode_params, read_body
from api.envelope import Envelope
from api.errors import invalid, missing, request_id_of
from api.notification_view import shown_notification
from api.reading.params import Query, order_id_of
from api.reading.readers import Readers
from api.statuses import SUCCESS
from application.operations import NotPossible, Operations

PATH = "/api/v1/notifications/{notification_id}"
MAX_REASON_CHARS = 500


@dataclass(frozen=True)
class NotificationActions:
    """The parts of the routes; one per process."""

    readers: Readers
    operations: Operations

    async def see(self, request: Request, notification_id: str) -> Response:
        """Mark it as seen; what has been seen or resolved stays as it is. Takes no parameters."""
        if (await read_body(request)).strip() not in (b"", b"{}"):
            raise invalid("body", "unknown-parameter")
        reader = await self._reader(request)
        try:
            found = await self.operations.see_notification(
                _named(notification_id), actor=_actor(reader), request=request_id_of(request)
            )
        except NotPossible:
            raise invalid("id") from None
        return Envelope(SUCCESS, request_id_of(request), data={"notification": shown_notification(found)}).response()

    async def resolve(self, request: Request, notification_id: str) -> Response:
        """Mark it as dealt with, for the reason in the body; what has been resolved stays as it is."""
        params = await decode_params(request, sensitive_params=False)
        reader = await self._reader(request)
        reason = _reason(params)
        try:
            found = await self.operations.resolve_notification(
                _named(notification_id), actor=_actor(reader), reason=reason, request=request_id_of(request)
            )
        except NotPossible:
            raise invalid("id") from None
        return Envelope(SUCCESS, request_id_of(request), data={"notification": shown_notification(found)}).response()

    async def _reader(self, request: Request) -> Authenticated:
        reader = await self.readers.report_reader(request)
        Query(request, ())
        return reader


def _named(text: str) -> UUID:
    notification_id = order_id_of(text)
    if notification_id is None:
        raise invalid("id")
    return notification_id


def _reason(params: dict[str, Any]) -> str:
    if "reason" not in params:
        raise missing("reason")
    if set(params) != {"reason"}:
        raise invalid("body", "unknown-parameter")
    reason = params["reason"]
    if not isinstance(reason, str):
        raise invalid("reason", "wrong-type")
    if not 0 < len(reason.strip()) <= MAX_REASON_CHARS:
        raise invalid("reason", "out-of-range")
    return reason.strip()


def _actor(reader: Authenticated) -> str:
    """Only sessions have the roles that may read notifications."""
    assert reader.session is not None
    return f"user:{reader.session.user.id}"


_SECURITY: dict[str, Any] = {"security": [{"token": []}]}
_REASON: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "reason": {
                            "type": "string",
                            "minLength": 1,
                            "maxLength": MAX_REASON_CHARS,
                            "description": "What was done about it; kept in the log for good, so no personal data.",
                        }
                    },
                    "required": ["reason"],
                    "additionalProperties": False,
                },
                "example": {"reason": "The client's address was corrected and the confirmation sent again."},
            }
        },
    }
}


def notification_actions_router(routes: NotificationActions) -> APIRouter:
    """The FastAPI routes."""
    router = APIRouter()

    async def see_notification(request: Request, notification_id: str) -> Response:
        return await routes.see(request, notification_id)

    async def resolve_notification(request: Request, notification_id: str) -> Response:
        return await routes.resolve(request, notification_id)

    add = router.add_api_route
    add(
        PATH + "/seen",
        see_notification,
        methods=["POST"],
        summary="Mark a notification as seen",
        response_class=Response,
        openapi_extra=_SECURITY,
    )
    add(
        PATH + "/resolve",
        resolve_notification,
        methods=["POST"],
        summary="Mark a notification as dealt with",
        response_class=Response,
        openapi_extra=_SECURITY | _REASON,
    )
    return router

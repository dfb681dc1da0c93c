"""From the bytes of a request to its parameters. Everything here is limited: size, time and nesting."""

from __future__ import annotations

import asyncio
import base64
import binascii
from typing import Any

from starlette.requests import Request

from api import strict_json
from api.errors import ApiError
from api.http_protocol import BODY_IS_WHOLE

MAX_BODY_BYTES = 64 * 1024
BODY_DEADLINE_S = 10.0

_CHARSETS = {"application/json": {"utf-8", "utf8"}, "text/plain": {"utf-8", "utf8", "us-ascii"}}
_PARAMETERS = {
    media_type: {f"charset={quote}{name}{quote}" for name in charsets for quote in ("", '"')}
    for media_type, charsets in _CHARSETS.items()
}


async def decode_params(request: Request, *, sensitive_params: bool) -> dict[str, Any]:
    """The parameters of a request, without those that are null.

    A route with sensitive parameters takes base64 of JSON as text/plain, the others JSON as application/json.
    Raises ApiError invalid-content-type, invalid-encoded-params (with a detail) or no-params-decoded, in this order.
    """
    check_content_type(request, "text/plain" if sensitive_params else "application/json")
    body = await read_body(request)
    if sensitive_params:
        body = _from_base64(body.strip())
    if not body.strip():
        raise ApiError("no-params-decoded")
    try:
        value = strict_json.loads(body)
    except strict_json.NotStrictJson as refused:
        raise _undecodable(refused.detail) from None
    if value is not None and not isinstance(value, dict):
        raise _undecodable("not-an-object")
    params: dict[str, Any] = value or {}
    if b"null" in body:
        params = strict_json.without_nulls(params)
    if not params:
        raise ApiError("no-params-decoded")
    return params


def check_content_type(request: Request, expected: str) -> None:
    """Exactly one Content-Type header, the expected media type, and no parameter but a charset that fits."""
    headers = header_values(request, b"content-type")
    if headers == [expected]:
        return
    if len(headers) != 1:
        raise ApiError("invalid-content-type")
    media_type, *parameters = (part.strip().lower() for part in headers[0].split(";"))
    if media_type != expected or len(parameters) > 1 or not _PARAMETERS[expected].issuperset(parameters):
        raise ApiError("invalid-content-type")


def header_values(request: Request, name: bytes) -> list[str]:
    """All that came under this name, which is lower case as ASGI gives them."""
    return [value.decode("latin-1") for key, value in request.scope["headers"] if key == name]


async def read_body(request: Request) -> bytes:
    """The whole body, counted as it streams in: a Content-Length is a promise and chunks come without one."""
    declared = next(iter(header_values(request, b"content-length")), "")
    if declared.isdecimal() and (len(declared) > 9 or int(declared) > MAX_BODY_BYTES):
        raise _undecodable("body-too-large")
    if request.scope["state"].get(BODY_IS_WHOLE):  # most come with their head: no time needs to be measured
        return await _received(request)
    try:
        async with asyncio.timeout(BODY_DEADLINE_S):
            return await _received(request)
    except TimeoutError:
        raise _undecodable("body-too-slow") from None


async def _received(request: Request) -> bytes:
    body = b""
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise _undecodable("body-incomplete")
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise _undecodable("body-too-large")
        more = message.get("more_body", False)
    return body


def _from_base64(text: bytes) -> bytes:
    """RFC 4648, section 4, padding and alphabet as written there; b64decode alone lets some surplus pass."""
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _undecodable("not-base64") from None
    if base64.b64encode(decoded) != text:
        raise _undecodable("not-base64")
    return decoded


def _undecodable(detail: str) -> ApiError:
    return ApiError("invalid-encoded-params", detail=detail)

"""The body of every call: a JSON object that carries the API key."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from api.sandbox.mandrill.errors import MandrillError, invalid


async def read_body(request: web.Request, api_key: str) -> dict[str, Any]:
    """The parameters of a call without the key. Raises MandrillError (ValidationError, Invalid_Key)."""
    try:
        body = json.loads(await request.read())
    except (ValueError, RecursionError):
        raise invalid("the body is not JSON") from None
    if not isinstance(body, dict):
        raise invalid("the body must be a struct")
    key = body.pop("key", None)
    if not isinstance(key, str) or not key:
        raise MandrillError("ValidationError", "You must specify a key value")
    if key != api_key:
        raise MandrillError("Invalid_Key", "Invalid API key")
    return body

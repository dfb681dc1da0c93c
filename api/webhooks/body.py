"""Reads a webhook's body, up to a limit."""

from __future__ import annotations

from starlette.requests import Request

MAX_BYTES = 4 * 1024 * 1024  # Mandrill sends up to 1,000 events at once


class BodyTooLarge(Exception):
    """More bytes than any webhook of ours has."""


async def read_body(request: Request) -> bytes:
    """The raw body. Raises BodyTooLarge."""
    chunks = bytearray()
    async for chunk in request.stream():
        chunks += chunk
        if len(chunks) > MAX_BYTES:
            raise BodyTooLarge
    return bytes(chunks)

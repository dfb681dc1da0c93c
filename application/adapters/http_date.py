"""The clock of an HTTP server, by the Date header of its answer (RFC 9110, 6.6.1): whole seconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import aiohttp

TIMEOUT_S = 5.0


class NoDate(Exception):
    """No answer, or none with a Date; the text says why."""


async def clock_ahead_s(url: str) -> float:
    """How far the server's clock is ahead of ours, negative where it is behind; right to about a second.

    Asks with HEAD, which changes nothing and may be refused: every answer has a Date. Raises NoDate.
    """
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)) as session,
            session.head(url, allow_redirects=False) as answer,
        ):
            began = datetime.now(UTC)
            header = answer.headers.get("Date")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise NoDate(type(error).__name__) from error
    try:
        theirs = parsedate_to_datetime(header or "")
    except ValueError as error:
        raise NoDate("the answer has no Date") from error
    return (theirs.astimezone(UTC) + timedelta(seconds=0.5) - began).total_seconds()

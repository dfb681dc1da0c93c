"""One request to Authorize.net: every operation goes to one URL, and only a 200 holds an answer."""

from __future__ import annotations

from typing import Final

from application.adapters.authorizenet.config import AuthorizeNetConfig
from application.adapters.http_post import HttpPost, Limits, Lost, Reply, Unsent
from application.ports import NotSent, OutcomeUnknown

_HEADERS: Final = {"Content-Type": "text/xml; charset=utf-8", "User-Agent": "orders"}


class Transport:
    """Belongs to the event loop of its first call; close it there."""

    def __init__(self, config: AuthorizeNetConfig) -> None:
        self._url = config.url
        limits = Limits(config.connect_timeout_s, config.max_answer_bytes, config.max_connections)
        self._post = HttpPost(config.url, limits)

    async def post(self, body: bytes, deadline_s: float) -> bytes | NotSent | OutcomeUnknown:
        """The body of a 200 answer. Anything else is told as what it means for the request; only cancellation raises.

        `deadline_s` covers all of it: waiting for a connection, connecting, sending, and reading the last byte.
        """
        match await self._post(self._url, body, _HEADERS, deadline_s):
            case Reply(status=200, body=answer):
                return answer
            case Reply(status=status):
                return OutcomeUnknown(f"http-{status // 100}xx")
            case Unsent(reason=reason):
                return NotSent(reason)
            case Lost(reason=reason):
                return OutcomeUnknown(reason)

    async def close(self) -> None:
        """Close the pool. Calls on the way end as unknown outcomes; later calls are not sent."""
        await self._post.close()

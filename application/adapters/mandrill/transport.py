"""The way to the wire under the official client: one pool of connections, no thread per call, a limit on everything.

The client's own `ApiClient` waits 300 s, opens a connection per call, and hands out an empty or broken answer, also of
a 500, as a raw Response. Its API classes return whatever `call_api` returns, so a `call_api` that returns an awaitable
makes `await MessagesApi(key, api_client=...).send(body)` work.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from mailchimp_transactional import ApiClient

from application.adapters.http_post import HttpPost, Limits, Lost, Reply, Unsent
from application.adapters.mandrill.config import MandrillConfig


@dataclass(frozen=True)
class Answered:
    """A complete HTTP answer. `body` is its JSON; None where it is empty, or no JSON."""

    http_status: int
    body: Any


@dataclass(frozen=True)
class Unanswered:
    """No usable answer. `sent`: the request may have been carried out; else nothing of it has left."""

    reason: str  # a short slug
    sent: bool


class PooledApiClient(ApiClient):  # type: ignore[misc]  # the package has no types
    """Belongs to the event loop of its first call; close it there."""

    def __init__(self, config: MandrillConfig) -> None:
        super().__init__()
        self.host = config.url.rstrip("/")
        self._deadline_s = config.deadline_s
        limits = Limits(config.connect_timeout_s, config.max_answer_bytes, config.max_connections)
        self._post = HttpPost(self.host, limits)

    async def call_api(
        self,
        resource_path: str,
        method: str,
        header_params: dict[str, str] | None = None,
        body: dict[str, Any] | None = None,
        **_described: Any,
    ) -> Answered | Unanswered:
        """POST once to host + path + `.json`. Never raises for a failure on the way; a cancelled call raises.

        `_described` takes the response types that the API classes name; nothing reads them, nor does the original.
        """
        if method != "POST":
            raise ValueError("http method must be `POST`")
        headers = {**(header_params or {}), "User-Agent": self.user_agent, "Content-Type": self.content_type}
        url = f"{self.host}{resource_path}.json"
        match await self._post(url, msgspec.json.encode(body), headers, self._deadline_s):
            case Reply(status=status, body=received):
                return Answered(status, _json(received))
            case Unsent(reason=reason):
                return Unanswered(reason, sent=False)
            case Lost(reason=reason):
                return Unanswered(reason, sent=True)

    async def close(self) -> None:
        """Close the pool. Calls on the way end unanswered; later calls are not sent."""
        await self._post.close()


def _json(received: bytes) -> Any:
    try:
        return msgspec.json.decode(received)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None

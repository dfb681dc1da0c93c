"""The sandbox on a free port, and a bare HTTP client for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from api.sandbox.mandrill import MailConfig, create_app
from api.sandbox.running import RunningSandbox

KEY = "test-key-of-the-sandbox"


class FixedClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = datetime(2025, 3, 14, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> None:
        self.at += timedelta(**by)


class Browser:
    """Calls the sandbox as its clients and its visitors do."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session = session
        self.url = url

    async def call(self, path: str, key: str | None = KEY, **body: Any) -> tuple[int, Any]:
        """A call of the vendor's API: HTTP status and JSON."""
        sent = body if key is None else {"key": key, **body}
        async with self.session.post(f"{self.url}/api/1.3/{path}.json", json=sent) as response:
            return response.status, await response.json()

    async def send(self, to: str = "anna@example.com", **changes: Any) -> tuple[int, Any]:
        return await self.call("messages/send", message=message(to, **changes))

    async def search(self, **body: Any) -> list[dict[str, Any]]:
        status, rows = await self.call("messages/search", **body)
        assert status == 200, rows
        return list(rows)

    async def ledger(self) -> Any:
        async with self.session.get(f"{self.url}/_ledger") as response:
            return await response.json()

    async def control(self, path: str, **body: Any) -> tuple[int, Any]:
        async with self.session.post(f"{self.url}/{path}", json=body) as response:
            return response.status, await response.json()

    async def page(self) -> tuple[aiohttp.ClientResponse, str]:
        async with self.session.get(f"{self.url}/") as response:
            return response, await response.text()


@asynccontextmanager
async def sandbox(**config: Any) -> AsyncIterator[Browser]:
    app = create_app(MailConfig(api_key=KEY, **config))
    async with RunningSandbox(app) as running, aiohttp.ClientSession() as session:
        yield Browser(session, running.url)


def with_sandbox(scenario: Callable[[Browser], Awaitable[None]], **config: Any) -> None:
    """Run one scenario against a fresh sandbox; nothing here may take longer than 10 seconds."""

    async def main() -> None:
        async with sandbox(**config) as browser:
            await scenario(browser)

    asyncio.run(asyncio.wait_for(main(), 10))


def message(to: str = "anna@example.com", **changes: Any) -> dict[str, Any]:
    return {
        "from_email": "orders@example.com",
        "to": [{"email": to, "type": "to"}],
        "subject": "Order 1001 is confirmed",
        "text": "Thank you",
        "html": "<p>Thank you</p>",
        "metadata": {"order_id": "order-1", "email_id": "email-1"},
        "tags": ["order-confirmation"],
        **changes,
    }

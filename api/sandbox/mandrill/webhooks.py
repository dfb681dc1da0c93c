"""Signed webhooks: a form POST with one field, a JSON array of events."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import aiohttp
from aiohttp import web

from api.sandbox.mandrill.config import MailConfig
from api.sandbox.mandrill.outbox import Message

SIGNATURE_HEADER: Final = "X-Mandrill-Signature"
EVENTS_MAX: Final = 1_000  # in one POST
WAITING_MAX: Final = 10_000  # further events are lost, as from a provider that gave up

# what is told of a message, by its state: first the send itself, then what became of it
_EVENTS: Final = {
    "sent": ("send",),
    "bounced": ("send", "hard_bounce"),
    "soft-bounced": ("send", "soft_bounce"),
    "spam": ("send", "spam"),
    "rejected": ("reject",),
}


def sign(url: str, params: Mapping[str, str], key: str) -> str:
    """The signature of a webhook POST: base64 of HMAC-SHA1 over the URL and every name and value, sorted by name."""
    signed = url + "".join(name + params[name] for name in sorted(params))
    return base64.b64encode(hmac.digest(key.encode(), signed.encode(), "sha1")).decode()


class Webhooks:
    """Posts events to the configured URL in the background: in order, in batches, a few tries each."""

    def __init__(self, config: MailConfig) -> None:
        self._config = config
        self._waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue(WAITING_MAX)

    def tell(self, message: Message) -> None:
        """Queue the events of an accepted message; does nothing without URL and key."""
        if self._config.webhook_url is None or self._config.webhook_key is None:
            return
        result = message.as_result()
        for name in _EVENTS.get(message.state, ()):
            event = {"event": name, "ts": result["ts"], "_id": message.id, "msg": result}
            if not self._waiting.full():
                self._waiting.put_nowait(event)

    async def run(self, _app: web.Application) -> AsyncIterator[None]:
        """Deliver while the application runs (an aiohttp cleanup context)."""
        url, key = self._config.webhook_url, self._config.webhook_key
        if url is None or key is None:
            yield
            return
        delivery = asyncio.create_task(self._deliver(url, key))
        yield
        delivery.cancel()
        await asyncio.gather(delivery, return_exceptions=True)

    async def _deliver(self, url: str, key: str) -> None:
        timeout = aiohttp.ClientTimeout(total=self._config.webhook_timeout_s)
        async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session:
            while True:
                events = [await self._waiting.get()]
                while len(events) < EVENTS_MAX and not self._waiting.empty():
                    events.append(self._waiting.get_nowait())
                await self._post(session, url, key, events)

    async def _post(self, session: aiohttp.ClientSession, url: str, key: str, events: list[dict[str, Any]]) -> None:
        form = {"mandrill_events": json.dumps(events)}
        headers = {SIGNATURE_HEADER: sign(url, form, key), "User-Agent": "Mandrill-Webhook/1.0"}
        for pause_s in (0.0, *self._config.webhook_pauses_s):
            await asyncio.sleep(pause_s)
            try:
                async with session.post(url, data=form, headers=headers, allow_redirects=False) as response:
                    if response.status == 200:
                        return
            except (aiohttp.ClientError, TimeoutError):
                continue

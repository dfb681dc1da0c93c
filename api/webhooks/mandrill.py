"""Webhooks of Mandrill, signed with HMAC-SHA1 over the URL and the form.

https://mailchimp.com/developer/transactional/guides/track-respond-activity-webhooks/
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from api.webhooks.body import BodyTooLarge, read_body
from application import notifications
from application.order_streams import OrderStreams
from application.ports import Clock
from application.work import WorkKind, WorkList
from domain.stream import Metadata

PATH = "/webhooks/mandrill"
ACTOR = "system:mandrill-webhook"
CHECK_KEY = "test-webhook"  # signs the empty array with which Mandrill checks the URL
BOUNCES = {"hard_bounce", "reject"}
_MAX_EVENTS = 1_000


@dataclass(frozen=True)
class MandrillWebhook:
    """Brings the outbox forward when a message of ours has news, and tells people of one that bounced."""

    url: str  # the public URL as registered with Mandrill: it is part of what is signed
    key: str
    streams: OrderStreams
    work: WorkList
    clock: Clock

    async def check(self, _: Request) -> Response:
        """Mandrill asks with HEAD whether the URL is there."""
        return Response(status_code=200)

    async def __call__(self, request: Request) -> Response:
        """200 once the events are noted, 401 for a wrong signature, 400 for a body that is not a form of events."""
        try:
            body = await read_body(request)
        except BodyTooLarge:
            return Response(status_code=413)
        try:
            form = dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=20))
            events = json.loads(form["mandrill_events"])
        except (ValueError, KeyError, RecursionError):
            return Response(status_code=400)
        header = request.headers.get("X-Mandrill-Signature", "")
        if events == [] and is_signed(self.url, form, header, CHECK_KEY):
            return Response(status_code=200)
        if not is_signed(self.url, form, header, self.key):
            return Response(status_code=401)
        if not isinstance(events, list) or len(events) > _MAX_EVENTS:
            return Response(status_code=400)
        for event in events:
            await self._note(event)
        return Response(status_code=200)

    async def _note(self, event: Any) -> None:
        """Unknown kinds, unknown fields and messages that are not ours are passed over."""
        message = event.get("msg") if isinstance(event, dict) else None
        named = message.get("metadata") if isinstance(message, dict) else None
        order_id = _uuid(named.get("order_id")) if isinstance(named, dict) else None
        if order_id is None or (await self.streams.order(order_id)).submitted_at is None:
            return
        await self.work.poke(order_id, WorkKind.EMAIL)
        if event.get("event") in BOUNCES:
            request = f"mandrill_{order_id}"
            metadata = Metadata(self.clock.now(), ACTOR, request, request)
            await self.streams.notify(notifications.EMAIL_BOUNCED, order_id, metadata)


def is_signed(url: str, form: Mapping[str, str], header: str, key: str) -> bool:
    """Whether the header is the base64 of the HMAC over the URL and each name and value, sorted by name."""
    signed = url + "".join(name + form[name] for name in sorted(form))
    expected = base64.b64encode(hmac.new(key.encode(), signed.encode(), hashlib.sha1).digest())
    return hmac.compare_digest(expected, header.strip().encode("ascii", "replace"))


def _uuid(text: Any) -> UUID | None:
    try:
        return UUID(text) if isinstance(text, str) else None
    except ValueError:
        return None

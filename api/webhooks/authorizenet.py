"""Webhooks of Authorize.net, signed with HMAC-SHA512.

https://developer.authorize.net/api/reference/features/webhooks.html
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.views_database import ViewsDatabase
from api.webhooks.body import BodyTooLarge, read_body
from application.ports import LookupFailed, PaymentGateway
from application.work import WorkKind, WorkList

log = logging.getLogger(__name__)

PATH = "/webhooks/authorizenet"
_MAX_ID_CHARS = 32


@dataclass(frozen=True)
class AuthorizeNetWebhook:
    """Brings the work on an order forward when its transaction has news."""

    signature_key: str
    gateway: PaymentGateway
    views: ViewsDatabase
    work: WorkList

    async def __call__(self, request: Request) -> Response:
        """200 once the news is noted or is none of ours, 401 for a wrong signature, 400 for a body that is not JSON."""
        try:
            body = await read_body(request)
        except BodyTooLarge:
            return Response(status_code=413)
        if not is_signed(body, request.headers.get("X-ANET-Signature", ""), self.signature_key):
            return Response(status_code=401)
        try:
            event = json.loads(body)
        except (ValueError, RecursionError):
            return Response(status_code=400)
        invoice_number = await self._invoice_number(event)
        if invoice_number is not None:
            known = (await self.views.by_invoice([invoice_number])).get(invoice_number)
            if known is not None:
                for kind in (WorkKind.PAYMENT, WorkKind.CORRECTION):
                    await self.work.poke(known.order_id, kind)
        return Response(status_code=200)

    async def _invoice_number(self, event: Any) -> str | None:
        """Of the transaction that the event is about: told, or looked up. Unknown fields and kinds are passed over."""
        payload = event.get("payload") if isinstance(event, dict) else None
        if not isinstance(payload, dict) or payload.get("entityName", "transaction") != "transaction":
            return None
        for name in ("invoiceNumber", "merchantReferenceId"):
            told = payload.get(name)
            if isinstance(told, str) and 0 < len(told) <= _MAX_ID_CHARS:
                return told
        transaction_id = payload.get("id")
        if not isinstance(transaction_id, str) or not transaction_id.isdigit() or len(transaction_id) > _MAX_ID_CHARS:
            return None
        try:
            details = await self.gateway.details(transaction_id)
        except LookupFailed as failure:
            log.warning("a webhook's transaction could not be looked up: %s", failure.reason)
            return None
        return details.invoice_number if details else None


def is_signed(body: bytes, header: str, key: str) -> bool:
    """Whether the header is `sha512=` and the HMAC of the raw body; the key is used as text, not as hex."""
    expected = hmac.new(key.encode(), body, hashlib.sha512).hexdigest()
    algorithm, _, signature = header.partition("=")
    given = signature.strip().lower().encode("ascii", "replace")
    return hmac.compare_digest(expected.encode(), given) and algorithm.strip().lower() == "sha512"

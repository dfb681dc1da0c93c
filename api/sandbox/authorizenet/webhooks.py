"""Signed webhooks, as Authorize.net sends them: in the background, tried a bounded number of times, then given up."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from aiohttp import ClientError, ClientSession, ClientTimeout

from api.sandbox.authorizenet.codes import FRAUD_FILTERS
from api.sandbox.authorizenet.config import GatewayConfig
from api.sandbox.authorizenet.ledger import Transaction
from api.sandbox.authorizenet.reporting import FRAUD_FILTER_NAME

MAX_QUEUED = 10_000
SENDERS = 4
WEBHOOK_ID = str(uuid4())

log = logging.getLogger(__name__)


def sign(body: bytes, key: str) -> str:
    """The value of X-ANET-Signature: HMAC-SHA512 over the raw body, in upper-case hex.

    The signature key is used as the ASCII text that the merchant interface shows, not as the bytes that its hex digits
    stand for.
    """
    digest = hmac.new(key.encode("ascii"), body, hashlib.sha512).hexdigest()
    return f"sha512={digest.upper()}"


def notification(event: str, transaction: Transaction) -> dict[str, Any]:
    """The body of a webhook; `event` without its common beginning, as in `void.created`."""
    payload: dict[str, Any] = {
        "responseCode": transaction.response_code,
        "authCode": transaction.auth_code,
        "avsResponse": "Y",
        "authAmount": transaction.amount_cents / 100,  # a JSON number on the wire; two places survive exactly as text
    }
    if transaction.held_as is not None:
        action = FRAUD_FILTERS[transaction.held_as]
        payload["fraudList"] = [{"fraudFilter": FRAUD_FILTER_NAME, "fraudAction": action}]
    if transaction.ref_id is not None:
        payload["merchantReferenceId"] = transaction.ref_id
    if transaction.invoice_number is not None:
        payload["invoiceNumber"] = transaction.invoice_number
    return {
        "notificationId": str(uuid4()),
        "eventType": f"net.authorize.payment.{event}",
        "eventDate": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}0Z",
        "webhookId": WEBHOOK_ID,
        "payload": {**payload, "entityName": "transaction", "id": transaction.id},
    }


class Webhooks:
    """A queue and the tasks that empty it. Does nothing unless a URL and a signature key are configured."""

    def __init__(self, config: GatewayConfig) -> None:
        self._url = config.webhook_url
        self._key = config.signature_key
        self._pauses_s = config.webhook_pauses_s
        self._timeout = ClientTimeout(total=config.webhook_timeout_s)
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(MAX_QUEUED)
        self.counts: Counter[str] = Counter()  # sent, failed, dropped

    def publish(self, event: str, transaction: Transaction) -> None:
        """Queue a notification of the transaction as it is now. A full queue drops it: a webhook is never a promise."""
        if self._url is None or self._key is None:
            return
        try:
            self._queue.put_nowait(json.dumps(notification(event, transaction), separators=(",", ":")).encode())
        except asyncio.QueueFull:
            self.counts["dropped"] += 1

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send while the block lasts."""
        if self._url is None or self._key is None:
            yield
            return
        async with ClientSession(timeout=self._timeout) as session:
            senders = [asyncio.create_task(self._send_all(session, self._url, self._key)) for _ in range(SENDERS)]
            try:
                yield
            finally:
                for sender in senders:
                    sender.cancel()
                await asyncio.gather(*senders, return_exceptions=True)

    async def _send_all(self, session: ClientSession, url: str, key: str) -> None:
        while True:
            body = await self._queue.get()
            sent = await self._send(session, url, body, sign(body, key))
            self.counts["sent" if sent else "failed"] += 1

    async def _send(self, session: ClientSession, url: str, body: bytes, signature: str) -> bool:
        headers = {"Content-Type": "application/json", "X-ANET-Signature": signature}
        for pause_s in (0.0, *self._pauses_s):
            await asyncio.sleep(pause_s)
            try:
                async with session.post(url, data=body, headers=headers, allow_redirects=False) as response:
                    if response.status < 300:
                        return True
            except (ClientError, TimeoutError) as error:
                log.info("a webhook did not arrive: %s", type(error).__name__)
        return False

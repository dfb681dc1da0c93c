"""messages/send: one row per recipient, or whatever ending the recipient stands for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final

from aiohttp import web

from api.sandbox.mandrill.checks import checked_message
from api.sandbox.mandrill.config import MailConfig
from api.sandbox.mandrill.errors import MandrillError
from api.sandbox.mandrill.faults import Faults
from api.sandbox.mandrill.outbox import Message, Outbox, email_id_of
from api.sandbox.mandrill.recipients import Answer, Ending, ending_for
from api.sandbox.mandrill.webhooks import Webhooks

_PAGE: Final = "<html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"


class Sending:
    """Decides how each send ends, keeps what is accepted, and answers."""

    def __init__(self, config: MailConfig, outbox: Outbox, faults: Faults, webhooks: Webhooks) -> None:
        self._config = config
        self._outbox = outbox
        self._faults = faults
        self._webhooks = webhooks

    async def send(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        message = checked_message(body)
        endings = self._endings(message)
        if self._outbox.full:
            raise MandrillError("ServiceUnavailable", "The outbox of the sandbox is full")
        decisive = _decisive(endings.values())
        rows = []
        if decisive.accepted:
            for address, ending in endings.items():
                kept = self._outbox.accept(address, message, ending)
                self._webhooks.tell(kept)
                rows.append(_row(kept, ending))
        await asyncio.sleep(self._faults.delay_ms / 1000 + (self._config.slow_s if decisive.slow else 0))
        return await self._answer(request, decisive, rows)

    def _endings(self, message: dict[str, Any]) -> dict[str, Ending]:
        """The ending of every recipient: as ordered from outside, else as the address says."""
        earlier_calls = self._outbox.note_call(email_id_of(message))
        ordered = self._faults.next_ending()
        addresses = [recipient["email"] for recipient in message["to"]]
        return {address: ordered or ending_for(address, earlier_calls) for address in addresses}

    async def _answer(self, request: web.Request, ending: Ending, rows: list[dict[str, Any]]) -> web.StreamResponse:
        match ending.answer:
            case Answer.ROWS:
                return web.json_response(rows)
            case Answer.ERROR:
                assert ending.error is not None
                raise MandrillError(ending.error, "The sandbox was asked for this error")
            case Answer.EMPTY:
                return web.Response(status=ending.http_status, content_type="application/json")
            case Answer.NONSENSE:
                return web.Response(status=ending.http_status, text=_PAGE, content_type="text/html")
            case Answer.OVERSIZED:
                return web.json_response(["x" * self._config.oversized_bytes])
            case Answer.HANG:
                await asyncio.sleep(self._config.hang_s)
        return _hang_up(request)


def _decisive(endings: Iterable[Ending]) -> Ending:
    """The ending that shapes the answer: the first that is not a plain list of rows, else the slowest."""
    return max(endings, key=lambda ending: (ending.answer != Answer.ROWS, ending.slow))


def _row(message: Message, ending: Ending) -> dict[str, Any]:
    row = {
        "email": message.email,
        "status": message.status,
        "_id": message.id,
        "reject_reason": message.reason if message.status in {"rejected", "invalid"} else None,
        "queued_reason": message.reason if message.status == "queued" else None,
    }
    match ending.broken_row:
        case "no-id":
            del row["_id"]
        case "odd-status":
            row["status"] = "pondering"
        case "other-recipient":
            row["email"] = "somebody-else@example.com"
    return row


def _hang_up(request: web.Request) -> web.StreamResponse:
    """Close the connection without a byte of an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()  # goes nowhere

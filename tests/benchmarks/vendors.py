"""Stand-ins for both vendors in a process of their own: they answer at once, or after a delay, and count charges.

`python -m tests.benchmarks.vendors` prints its URL, then serves until it is told to stop. POST a charge to
/xml/v1/request.api and a message to /api/1.3/messages/send.json. GET /counts tells how many charges there were and the
most that one invoice number had, and forgets them; POST /delays takes {"charge_ms": 0, "mail_ms": 0}.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections import Counter
from typing import Final, cast

import httptools
import uvloop

CHARGE_PATH: Final = "/xml/v1/request.api"
MAIL_BASE: Final = "/api/1.3"
NAMESPACE: Final = 'xmlns="AnetApi/xml/v1/schema/AnetApiSchema.xsd"'
XML_HEAD: Final = '\ufeff<?xml version="1.0" encoding="utf-8"?>'
OK: Final = (
    "<messages><resultCode>Ok</resultCode><message><code>I00001</code><text>Successful.</text></message></messages>"
)

_APPROVED: Final = (
    f"{XML_HEAD}<createTransactionResponse {NAMESPACE}><refId>%b</refId>{OK}<transactionResponse>"
    "<responseCode>1</responseCode><authCode>0A1B2C</authCode><avsResultCode>Y</avsResultCode>"
    "<cvvResultCode>P</cvvResultCode><cavvResultCode>2</cavvResultCode><transId>%d</transId><refTransID/><transHash/>"
    "<testRequest>0</testRequest><accountNumber>XXXX1111</accountNumber><accountType>Visa</accountType><messages>"
    "<message><code>1</code><description>This transaction has been approved.</description></message></messages>"
    "</transactionResponse></createTransactionResponse>"
).encode()
_EMPTY_LIST: Final = f"{XML_HEAD}<%b {NAMESPACE}>{OK}<totalNumInResultSet>0</totalNumInResultSet></%b>".encode()
_SENT: Final = b'[{"email":"%b","status":"sent","_id":"%032x","reject_reason":null,"queued_reason":null}]'
_RECIPIENT: Final = re.compile(rb'"to":\s*\[\{[^}]*"email":\s*"([^"]+)"')
_LIST_REQUEST: Final = re.compile(rb"<(?:\w+:)?(get\w+List)\w*Request")
_FIRST_TRANSACTION_ID: Final = 60_000_000_000


class Vendors:
    """What the stand-ins know."""

    def __init__(self) -> None:
        self.charges: Counter[bytes] = Counter()
        self.answered = 0
        self.charge_delay_s = 0.0
        self.mail_delay_s = 0.0

    def answer(self, path: str, body: bytes) -> tuple[float, bytes]:
        """The seconds to wait, and the answer."""
        if path == CHARGE_PATH:
            return self.charge_delay_s, _http(b"application/xml; charset=utf-8", self._gateway(body))
        if path == f"{MAIL_BASE}/messages/send.json":
            return self.mail_delay_s, _http(b"application/json; charset=utf-8", self._sent(body))
        return 0.0, _http(b"application/json", json.dumps(self._other(path, body)).encode())

    def _gateway(self, body: bytes) -> bytes:
        if b"createTransactionRequest" not in body:
            asked = _LIST_REQUEST.search(body)
            name = (asked[1] if asked else b"authenticateTest") + b"Response"
            return _EMPTY_LIST % (name, name)
        self.answered += 1
        self.charges[_element(body, b"invoiceNumber>")] += 1
        return _APPROVED % (_element(body, b"refId>"), _FIRST_TRANSACTION_ID + self.answered)

    def _sent(self, body: bytes) -> bytes:
        self.answered += 1
        found = _RECIPIENT.search(body)
        return _SENT % (found[1] if found else b"", self.answered)

    def _other(self, path: str, body: bytes) -> object:
        if path == "/counts":
            counts = {"charges": self.charges.total(), "most_per_invoice": max(self.charges.values(), default=0)}
            self.charges.clear()
            return counts
        if path == "/delays":
            delays = json.loads(body)
            self.charge_delay_s, self.mail_delay_s = delays["charge_ms"] / 1000, delays["mail_ms"] / 1000
            return delays
        return []  # a search that finds nothing


def _element(body: bytes, tag: bytes) -> bytes:
    """The text of the first element with the tag, with or without a namespace prefix."""
    start = body.find(tag) + len(tag)
    return body[start : body.find(b"<", start)]


def _http(content_type: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (content_type, len(body), body)


class _Session(asyncio.Protocol):
    """One connection of a client."""

    def __init__(self, vendors: Vendors) -> None:
        self._vendors = vendors
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._path, self._body = "", b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop has a class of its own

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._path = url.decode()

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        wait_s, answer = self._vendors.answer(self._path, self._body)
        self._body = b""
        if wait_s:
            self._loop.call_later(wait_s, self._write, answer)
        else:
            self._write(answer)

    def _write(self, answer: bytes) -> None:
        if self._transport is not None:
            self._transport.write(answer)


async def serve(port: int = 0) -> asyncio.Server:
    """The stand-ins on 127.0.0.1, in the running loop."""
    vendors = Vendors()
    return await asyncio.get_running_loop().create_server(
        lambda: _Session(vendors), "127.0.0.1", port, backlog=4096, reuse_address=True
    )


def url_of(server: asyncio.Server) -> str:
    return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def _main() -> None:
    server = await serve()
    sys.stdout.write(f"vendors: serving on {url_of(server)}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_main())

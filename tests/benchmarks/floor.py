"""The floor: the least that an order could cost in Python. Two vendor calls, three commits, nothing decided.

A bare ASGI application on uvicorn: parse the JSON; T1 inserts five rows, one charge with a prebuilt body, T2 four rows,
one mail, T3 one row; a JSON answer. It reads no state, checks no token and could not be used.
"""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from tests.benchmarks.floor_stores import Row, Store, open_store
from tests.benchmarks.vendors import CHARGE_PATH, MAIL_BASE, NAMESPACE
from tests.benchmarks.wire import Pool, post_head, posted

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

STATE: Final = bytes(32 + number % 95 for number in range(300))
TOPIC: Final = "order.payment-attempted.v1"
_T1: Final = ((0, 1), (0, 2), (0, 3), (1, 1), (2, 1))  # stream of the order, version
_T2: Final = ((0, 4), (0, 5), (1, 2), (2, 2))
_T3: Final = ((0, 6),)

_CHARGE_HEAD: Final = post_head(CHARGE_PATH, "text/xml; charset=utf-8")
_MAIL_HEAD: Final = post_head(f"{MAIL_BASE}/messages/send.json", "application/json")
_CHARGE: Final = (
    f'<?xml version="1.0" encoding="utf-8"?><createTransactionRequest {NAMESPACE}><merchantAuthentication>'
    "<name>login</name><transactionKey>key</transactionKey></merchantAuthentication><refId>%b</refId>"
    "<transactionRequest><transactionType>authCaptureTransaction</transactionType><amount>76.5</amount>"
    "<profile><customerProfileId>910000001</customerProfileId><paymentProfile>"
    "<paymentProfileId>800000001</paymentProfileId></paymentProfile></profile>"
    "<order><invoiceNumber>%b</invoiceNumber><description>Order</description></order>"
    "</transactionRequest></createTransactionRequest>"
).encode()
_MAIL: Final = posted(
    _MAIL_HEAD,
    json.dumps(
        {
            "key": "key",
            "message": {
                "from_email": "orders@example.com",
                "to": [{"email": "client@example.com", "type": "to"}],
                "subject": "Your order",
                "text": "x" * 600,
                "html": "x" * 1800,
            },
        }
    ).encode(),
)
_ANSWER: Final = b'{"status": "action-successful", "code": 200, "data": {"order": {"street": %b, "charged": %d}}}'


class Floor:
    """The ASGI application. What it needs is opened on its own event loop, at start-up."""

    def __init__(self, kind: str, database: str, vendors_url: str) -> None:
        self._opening = (kind, database)
        address = urlsplit(vendors_url)
        self._vendors = Pool(address.hostname or "", address.port or 0)
        self._store: Store | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        body = (await receive())["body"]
        answer = await self._order(json.loads(body)) if body else b"{}"
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _order(self, params: dict[str, Any]) -> bytes:
        store = self._store
        assert store is not None
        streams = UUID(bytes=os.urandom(16)), UUID(bytes=os.urandom(16)), UUID(bytes=os.urandom(16))
        invoice_number = streams[0].hex[:20].encode()
        await store.save(list(_rows(_T1, streams)))
        charged = await self._vendors.exchange(posted(_CHARGE_HEAD, _CHARGE % (invoice_number, invoice_number)))
        await store.save(list(_rows(_T2, streams)))
        await self._vendors.exchange(_MAIL)
        await store.save(list(_rows(_T3, streams)))
        street = params["order"]["property_info"]["address"]["street"]
        return _ANSWER % (json.dumps(street).encode(), charged.status)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._store = await open_store(*self._opening)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._vendors.close()
        await send({"type": "lifespan.shutdown.complete"})


def _rows(versions: tuple[tuple[int, int], ...], streams: tuple[UUID, ...]) -> Iterator[Row]:
    return ((streams[stream], version, TOPIC, STATE) for stream, version in versions)


def create() -> Floor:
    """For uvicorn: everything comes in the environment."""
    return Floor(os.environ["FLOOR_STORE"], os.environ["FLOOR_DATABASE"], os.environ["VENDORS_URL"])

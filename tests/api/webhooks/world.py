"""The product with its background work, and sandboxes that send it signed webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import uvicorn

from api.app import create_app
from api.directory_import import import_file
from api.sandbox.servers import Sandboxes, sandboxes
from api.settings import EXAMPLE_KEYS, Settings
from tests.end_to_end.client import Answer, Api
from tests.end_to_end.running import entered
from tests.end_to_end.world import ED, a_body, a_directory
from tests.helpers import run

AUTHORIZENET, MANDRILL = "/webhooks/authorizenet", "/webhooks/mandrill"
SIGNATURE_KEY = EXAMPLE_KEYS["authorizenet_signature_key"]
WEBHOOK_KEY = EXAMPLE_KEYS["mandrill_webhook_key"]
HELD, APPROVED = 106, 101  # payment methods of Ada's
LIMIT_S = 10.0


@dataclass
class World(Api):
    """`vendors` are the sandboxes."""

    settings: Settings = field(kw_only=True)
    vendors: Sandboxes = field(kw_only=True)
    homes: Iterator[int] = field(default_factory=lambda: count(1), kw_only=True)

    def order(self, **changes: Any) -> dict[str, Any]:
        """An order that has just been placed."""
        return self.pay(a_body(next(self.homes), **changes)).order

    def current(self, order: Mapping[str, Any]) -> dict[str, Any]:
        return self.get(f"/api/v1/orders/{order['id']}", ED).order

    def notifications(self) -> list[tuple[str, str | None]]:
        """Kind and order of each, newest first."""
        rows = self.get("/api/v1/notifications", ED).data["notifications"]
        return [(row["kind"], row["order_id"]) for row in rows]

    def until(self, order: Mapping[str, Any], state: str) -> float:
        """Wait until the order is in that state; how long that took, in seconds."""
        began = time.monotonic()
        while self.current(order)["state"] != state:
            assert time.monotonic() - began < LIMIT_S, f"the order did not become {state}"
            time.sleep(0.01)
        return time.monotonic() - began

    def control(self, url: str, wish: Mapping[str, Any] | None = None) -> Any:
        """Tell a sandbox something."""
        request = urllib.request.Request(url, json.dumps(wish or {}).encode())
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5) as answer:
            return json.loads(answer.read())

    def approve(self, order: Mapping[str, Any]) -> None:
        """Somebody at the gateway approves the held payment."""
        transaction_id = order["payment"]["transaction_id"]
        self.control(f"{self.vendors.gateway.url}/_held/{transaction_id}/approve")

    def tell(self, body: bytes, signature: str | None) -> Answer:
        """A webhook of the gateway."""
        headers = {"Content-Type": "application/json"}
        return self.send("POST", AUTHORIZENET, body, headers | ({"X-ANET-Signature": signature} if signature else {}))

    def tell_mail(self, events: Any, key: str = WEBHOOK_KEY, signature: str | None = None) -> Answer:
        """A webhook of the mail provider."""
        text = events if isinstance(events, str) else json.dumps(events)
        body = urllib.parse.urlencode({"mandrill_events": text}).encode()
        signed = signature or mail_signature(f"{self.url}{MANDRILL}", {"mandrill_events": text}, key)
        return self.send(
            "POST",
            MANDRILL,
            body,
            {"Content-Type": "application/x-www-form-urlencoded", "X-Mandrill-Signature": signed},
        )


def signature(body: bytes, key: bytes = SIGNATURE_KEY.encode()) -> str:
    """As the gateway signs: HMAC-SHA512 of the raw body with the key as text, in upper-case hex."""
    return "sha512=" + hmac.new(key, body, hashlib.sha512).hexdigest().upper()


def mail_signature(url: str, form: Mapping[str, str], key: str) -> str:
    """As the mail provider signs: HMAC-SHA1 of URL, names and values, in base64."""
    signed = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.new(key.encode(), signed.encode(), hashlib.sha1).digest()).decode()


@contextmanager
def opened_world(folder: Path, *, webhooks: bool = True, **settings: Any) -> Iterator[World]:
    """Everything, while the block lasts. `webhooks`: whether the sandboxes send any."""
    settings = {"database_url": f"sqlite:///{folder}/orders.db", **settings}
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        ours = Settings(
            gateway_deadline_s=5,
            mandrill_webhook_url=f"{url}{MANDRILL}",
            **settings,
        )
        with entered(sandboxes(ours, webhook_url=url if webhooks else None)) as vendors:
            ours = ours.model_copy(
                update={"authorizenet_url": vendors.authorizenet_url, "mandrill_url": vendors.mandrill_url}
            )
            file = folder / "directory.json"
            file.write_text(json.dumps(a_directory()))
            run(import_file(ours, file))
            with _serving(create_app(ours), listener):
                yield World(url, settings=ours, vendors=vendors)


@contextmanager
def _serving(app: Any, listener: socket.socket) -> Iterator[None]:
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.005)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=10)

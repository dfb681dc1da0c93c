"""Signed webhooks: the signature, the events, and the bounded retries."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from api.sandbox.authorizenet.webhooks import sign
from api.sandbox.running import RunningSandbox
from tests.sandbox.authorizenet.client import CONFIG, Client, in_sandbox, transaction_id, with_sandbox

KEY = "0123456789ABCDEF" * 8


class Receiver:
    """Takes webhooks; the first `failures` of them are answered with HTTP 500."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.seen: list[tuple[str, bytes]] = []
        self.app = web.Application()
        self.app.router.add_post("/hook", self._take)

    async def _take(self, request: web.Request) -> web.Response:
        self.seen.append((request.headers["X-ANET-Signature"], await request.read()))
        return web.Response(status=500 if len(self.seen) <= self.failures else 200)

    async def wait_for(self, count: int) -> list[Any]:
        async with asyncio.timeout(2):
            while len(self.seen) < count:
                await asyncio.sleep(0.005)
        return [json.loads(body) for _, body in self.seen]


def _with_receiver(
    test: Callable[[Client, Receiver], Awaitable[None]], *, failures: int = 0, down: bool = False
) -> None:
    async def main() -> None:
        receiver = Receiver(failures)
        async with RunningSandbox(receiver.app) as running:
            url = "http://127.0.0.1:9/hook" if down else f"{running.url}/hook"
            config = replace(CONFIG, webhook_url=url, signature_key=KEY)
            await in_sandbox(lambda client: test(client, receiver), config)

    asyncio.run(main())


def test_a_signature_is_the_hmac_sha512_of_the_raw_body_with_the_key_as_text_in_upper_case_hex() -> None:
    # The value that `printf '{"a":1}' | openssl dgst -sha512 -hmac key` gives, in upper case.
    assert sign(b'{"a":1}', "key") == (
        "sha512=DC7D8A6A7926059E98697EF54A65F745D924FC3E13C1176879DCDC84EAC480BA"
        "E377FA06D1EBCC6FAB1375CD9BD611A1899694CC4CA7DC0F629D8B8133C5C83D"
    )


@pytest.mark.skipif("ORDERS_RECORDED_ANSWERS" not in os.environ, reason="needs the folder of recorded answers")
def test_a_recorded_webhook_has_the_signature_that_we_compute() -> None:
    folder = Path(os.environ["ORDERS_RECORDED_ANSWERS"])
    vector = (folder / "webhook_authcapture.vector.txt").read_text().splitlines()
    key = next(line.split()[-1] for line in vector if line.startswith("key(text)"))
    signature = next(line.split()[-1] for line in vector if line.startswith("X-ANET-Signature"))
    assert sign((folder / "webhook_authcapture.json").read_bytes().rstrip(b"\n"), key) == signature


def test_every_event_is_sent_signed_and_in_the_documented_shape() -> None:
    async def scenario(client: Client, receiver: Receiver) -> None:
        charge = transaction_id(await client.charge(ref_id="ref-1"))
        await client.void(charge)
        for slug, action in (("held", "approve"), ("held-authorized", "decline")):
            await client.review(transaction_id(await client.charge(slug)), action)
        settled = transaction_id(await client.charge(invoice="INV-2"))
        await client.post("/_ledger/settle")
        await client.refund(settled, "1.00")
        await client.charge("declined")
        bodies = await receiver.wait_for(8)
        kinds = sorted(body["eventType"].removeprefix("net.authorize.payment.") for body in bodies)
        assert kinds == [
            *("authcapture.created", "authcapture.created", "fraud.approved", "fraud.declined", "fraud.held"),
            *("fraud.held", "refund.created", "void.created"),
        ]
        assert all(sign(body, KEY) == signature for signature, body in receiver.seen)
        first = next(body for body in bodies if body["payload"]["id"] == charge)
        assert list(first) == ["notificationId", "eventType", "eventDate", "webhookId", "payload"]
        assert first["payload"]["authAmount"] == 166.5
        assert first["payload"]["entityName"] == "transaction"
        assert first["payload"]["invoiceNumber"] == "INV-1"
        assert first["payload"]["merchantReferenceId"] == "ref-1"
        held = next(body for body in bodies if body["eventType"].endswith("fraud.held"))
        assert held["payload"]["fraudList"][0]["fraudAction"] in {"hold", "authAndHold"}

    _with_receiver(scenario)


def test_a_webhook_that_fails_once_is_sent_again_unchanged() -> None:
    async def scenario(client: Client, receiver: Receiver) -> None:
        await client.charge()
        first, second = await receiver.wait_for(2)
        assert first == second
        await _until(client, {"sent": 1})

    _with_receiver(scenario, failures=1)


@pytest.mark.parametrize("down", [False, True])
def test_a_webhook_is_given_up_after_its_last_try(down: bool) -> None:
    async def scenario(client: Client, receiver: Receiver) -> None:
        await client.charge()
        await _until(client, {"failed": 1})
        assert len(receiver.seen) == (0 if down else 2)

    _with_receiver(scenario, failures=100, down=down)


def test_nothing_is_sent_without_a_signature_key() -> None:
    async def scenario(client: Client) -> None:
        await client.charge()
        assert (await client.ledger())["webhooks"] == {}

    with_sandbox(scenario, replace(CONFIG, webhook_url="http://127.0.0.1:9/hook"))


async def _until(client: Client, counts: dict[str, int]) -> None:
    async with asyncio.timeout(2):
        while (await client.ledger())["webhooks"] != counts:
            await asyncio.sleep(0.005)

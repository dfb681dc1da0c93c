"""Talks to a running sandbox gateway over HTTP, as plainly as the wire allows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from xml.sax.saxutils import escape

from aiohttp import ClientSession, ClientTimeout
from lxml import etree

from api.sandbox.authorizenet import GatewayConfig, create_app
from api.sandbox.authorizenet.encoding import BYTE_ORDER_MARK, NAMESPACE
from api.sandbox.authorizenet.profiles import PROFILE_IDS
from api.sandbox.running import RunningSandbox

CONFIG = GatewayConfig(seed=7, slow_s=0.05, late_s=0.2, hang_s=5.0, oversized_bytes=100_000, webhook_pauses_s=(0.01,))
KEYS = {"name": CONFIG.login_id, "transactionKey": CONFIG.transaction_key}
CUSTOMER_PROFILE_ID = "900000011"


class Reply:
    """An XML answer, read by path without namespaces."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        assert body.startswith(BYTE_ORDER_MARK)
        self.status, self.headers, self.body = status, headers, body
        self.root = etree.fromstring(body.removeprefix(BYTE_ORDER_MARK))

    @property
    def name(self) -> str:
        return str(etree.QName(self.root).localname)

    @property
    def code(self) -> str | None:
        return self["messages/message/code"]

    def __getitem__(self, path: str) -> str | None:
        texts = self.all(path)
        return texts[0] if texts else None

    def all(self, path: str) -> list[str]:
        found = self.root.findall("/".join(f"{{{NAMESPACE}}}{name}" for name in path.split("/")))
        return [node.text or "" for node in found]

    @property
    def outcome(self) -> tuple[str | None, str | None]:
        """Response code and first reason code of the transactionResponse."""
        reason = self["transactionResponse/messages/message/code"] or self["transactionResponse/errors/error/errorCode"]
        return self["transactionResponse/responseCode"], reason


class Client:
    def __init__(self, session: ClientSession, url: str) -> None:
        self.session, self.url = session, url
        self.api_url = f"{url}/xml/v1/request.api"

    async def raw(self, body: bytes, content_type: str = "text/xml") -> tuple[int, dict[str, str], bytes]:
        async with self.session.post(self.api_url, data=body, headers={"Content-Type": content_type}) as response:
            return response.status, dict(response.headers), await response.read()

    async def ask(self, operation: str, content: str = "", *, keys: dict[str, str] = KEYS, ref_id: str = "") -> Reply:
        return Reply(*await self.raw(request_body(operation, content, keys=keys, ref_id=ref_id)))

    async def charge(self, profile: str = "approved", **wish: Any) -> Reply:
        return Reply(*await self.raw(charge_body(profile, **wish)))

    async def void(self, transaction_id: str) -> Reply:
        content = (
            "<transactionRequest><transactionType>voidTransaction</transactionType>"
            f"<refTransId>{transaction_id}</refTransId></transactionRequest>"
        )
        return await self.ask("createTransactionRequest", content)

    async def refund(self, transaction_id: str, amount: str, *, last4: str = "1111") -> Reply:
        content = (
            f"<transactionRequest><transactionType>refundTransaction</transactionType><amount>{amount}</amount>"
            f"<payment><creditCard><cardNumber>{last4}</cardNumber><expirationDate>XXXX</expirationDate></creditCard>"
            f"</payment><refTransId>{transaction_id}</refTransId></transactionRequest>"
        )
        return await self.ask("createTransactionRequest", content)

    async def details(self, transaction_id: str) -> Reply:
        return await self.ask("getTransactionDetailsRequest", f"<transId>{transaction_id}</transId>")

    async def review(self, transaction_id: str, action: str) -> Reply:
        content = f"<action>{action}</action><refTransId>{transaction_id}</refTransId>"
        return await self.ask(
            "updateHeldTransactionRequest", f"<heldTransactionRequest>{content}</heldTransactionRequest>"
        )

    async def post(self, path: str, wish: object = None) -> tuple[int, Any]:
        async with self.session.post(self.url + path, json=wish) as response:
            return response.status, await response.json()

    async def ledger(self) -> Any:
        async with self.session.get(self.url + "/_ledger") as response:
            return await response.json()

    async def transactions(self) -> list[Any]:
        return list((await self.ledger())["transactions"])


def request_body(operation: str, content: str = "", *, keys: dict[str, str] = KEYS, ref_id: str = "") -> bytes:
    head = "".join(f"<{name}>{text}</{name}>" for name, text in keys.items())
    ref = f"<refId>{ref_id}</refId>" if ref_id else ""
    authentication = f"<merchantAuthentication>{head}</merchantAuthentication>"
    return f'<{operation} xmlns="{NAMESPACE}">{authentication}{ref}{content}</{operation}>'.encode()


def charge_body(
    profile: str = "approved",
    *,
    invoice: str = "INV-1",
    amount: str = "166.50",
    window: str | None = "28800",
    ref_id: str = "",
    rest: str = "",
    description: str = "An order",
) -> bytes:
    """A charge of the payment profile of that slug, or of that id; `rest` goes between order and settings."""
    setting = f"<setting><settingName>duplicateWindow</settingName><settingValue>{window}</settingValue></setting>"
    payment = PROFILE_IDS.get(profile, profile)
    content = (
        f"<transactionRequest><transactionType>authCaptureTransaction</transactionType><amount>{amount}</amount>"
        f"<profile><customerProfileId>{CUSTOMER_PROFILE_ID}</customerProfileId>"
        f"<paymentProfile><paymentProfileId>{payment}</paymentProfileId></paymentProfile></profile>"
        f"<order><invoiceNumber>{invoice}</invoiceNumber><description>{escape(description)}</description></order>"
        f"{rest}<transactionSettings>{setting if window is not None else ''}</transactionSettings></transactionRequest>"
    )
    return request_body("createTransactionRequest", content, ref_id=ref_id)


def transaction_id(reply: Reply) -> str:
    found = reply["transactionResponse/transId"]
    assert found not in (None, "0")
    return str(found)


async def in_sandbox(test: Callable[[Client], Awaitable[None]], config: GatewayConfig = CONFIG) -> None:
    async with (
        RunningSandbox(create_app(config)) as sandbox,
        ClientSession(timeout=ClientTimeout(total=10)) as session,
    ):
        await test(Client(session, sandbox.url))


def with_sandbox(test: Callable[[Client], Awaitable[None]], config: GatewayConfig = CONFIG) -> None:
    """Run the test against a sandbox of its own, on a free port."""
    asyncio.run(in_sandbox(test, config))

"""A local gateway that answers what a test scripts, and the XML it may say."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from aiohttp import web

from application.adapters.authorizenet import AuthorizeNetConfig, AuthorizeNetGateway
from application.ports import ChargeOutcome, ChargeRequest

T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

INVOICE = "ABCDEFGHIJKLMNOPQRST"
CHARGE = ChargeRequest(INVOICE, 16_650, "900100", "900200", "Order P-1001")
LOGIN = "exampleLogin"
KEY = "exampleKey123456"
NAMESPACE = "AnetApi/xml/v1/schema/AnetApiSchema.xsd"


def run(scenario: Coroutine[Any, Any, T]) -> T:
    """Run one scenario to its end; nothing here may take longer than 10 seconds."""
    return asyncio.run(asyncio.wait_for(scenario, 10))


def config(url: str, **limits: Any) -> AuthorizeNetConfig:
    return AuthorizeNetConfig(url, LOGIN, KEY, **limits)


@asynccontextmanager
async def gateway_at(url: str, **limits: Any) -> AsyncIterator[AuthorizeNetGateway]:
    gateway = AuthorizeNetGateway(config(url, **limits))
    try:
        yield gateway
    finally:
        await gateway.close()


async def charged(url: str, **limits: float) -> ChargeOutcome:
    """How CHARGE ends at that URL, on connections of its own."""
    async with gateway_at(url, **limits) as gateway:
        return await gateway.charge(CHARGE)


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server on a free port; gives the URL."""

    async def route(request: web.Request) -> web.StreamResponse:
        return await handler(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", route)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        port = runner.addresses[0][1]
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}/xml/v1/request.api"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def serving_bytes(
    reply: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """A server below HTTP, for answers that no HTTP server would give; gives the URL."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reply(reader, writer)
        except ConnectionError:
            pass  # the client gave up first
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/xml/v1/request.api"
    finally:
        server.close()
        await server.wait_closed()


class Script:
    """Answers the bodies in turn, the last one for ever, and remembers the requests."""

    def __init__(self, *bodies: str | bytes) -> None:
        self._bodies = [body.encode() if isinstance(body, str) else body for body in bodies]
        self.requests: list[str] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(await request.text())
        body = self._bodies.pop(0) if len(self._bodies) > 1 else self._bodies[0]
        return web.Response(body=body, content_type="text/xml")


def transaction(fields: str, root: str = "createTransactionResponse", message: str = "I00001") -> str:
    """An answer with the given inside of its transactionResponse."""
    return answer(root, f"<transactionResponse>{fields}</transactionResponse>", message)


def answer(root: str, inside: str = "", message: str = "I00001", text: str = "...", ref_id: str = "") -> str:
    result = "Ok" if message.startswith("I") else "Error"
    listed = f"<message><code>{message}</code><text>{text}</text></message>"
    return (
        f'\ufeff<?xml version="1.0" encoding="utf-8"?><{root} xmlns="{NAMESPACE}">'
        + (f"<refId>{ref_id}</refId>" if ref_id else "")
        + f"<messages><resultCode>{result}</resultCode>{listed}</messages>{inside}</{root}>"
    )


def errors(*codes: object) -> str:
    listed = (f"<error><errorCode>{code}</errorCode><errorText>...</errorText></error>" for code in codes)
    return f"<errors>{''.join(listed)}</errors>"


def messages(code: object) -> str:
    return f"<messages><message><code>{code}</code><description>...</description></message></messages>"


APPROVED = transaction(
    "<responseCode>1</responseCode><authCode>000123</authCode><avsResultCode>Y</avsResultCode>"
    "<cvvResultCode>P</cvvResultCode><transId>60012345678</transId><testRequest>0</testRequest>" + messages(1)
)


def row(
    transaction_id: int, invoice: str = "", status: str = "capturedPendingSettlement", amount: str = "166.50"
) -> str:
    return (
        f"<transaction><transId>{transaction_id}</transId><submitTimeUTC>2026-03-01T12:00:00Z</submitTimeUTC>"
        f"<submitTimeLocal>2026-03-01T05:00:00</submitTimeLocal><transactionStatus>{status}</transactionStatus>"
        + (f"<invoiceNumber>{invoice}</invoiceNumber>" if invoice else "")
        + f"<accountType>Visa</accountType><accountNumber>XXXX1111</accountNumber><settleAmount>{amount}</settleAmount>"
        "<profile><customerProfileId>900100</customerProfileId>"
        "<customerPaymentProfileId>900200</customerPaymentProfileId></profile></transaction>"
    )


def rows(root: str, *listed: str, total: int | None = None) -> str:
    total = len(listed) if total is None else total
    inside = f"<transactions>{''.join(listed)}</transactions><totalNumInResultSet>{total}</totalNumInResultSet>"
    return answer(root, inside) if listed else answer(root, message="I00004")

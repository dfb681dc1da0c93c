"""Once there is a connection, whatever goes wrong is an unknown outcome; and a charge is sent once."""

from __future__ import annotations

import asyncio
import gzip
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from aiohappyeyeballs import AddrInfoType
from aiohttp import web

from application.adapters import http_post
from application.ports import Approved, ChargeOutcome, OutcomeUnknown
from tests.application.adapters.authorizenet.wire import (
    APPROVED,
    CHARGE,
    Script,
    charged,
    gateway_at,
    run,
    serving,
    serving_bytes,
)

Reply = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def charged_at(handler: Callable[[web.Request], Awaitable[web.StreamResponse]], **limits: float) -> ChargeOutcome:
    async with serving(handler) as url:
        return await charged(url, **limits)


async def charged_below_http(reply: Reply, **limits: float) -> ChargeOutcome:
    async with serving_bytes(reply) as url:
        return await charged(url, **limits)


def reason(outcome: ChargeOutcome) -> str:
    assert isinstance(outcome, OutcomeUnknown)
    return outcome.reason


def http(body: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", "Content-Type: text/xml", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def request_read(reader: asyncio.StreamReader) -> None:
    """Take the whole request, or stop where the client does."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(int(length.partition(b":")[2]))


def test_a_connection_that_drops_before_the_answer_is_unknown() -> None:
    async def drop_at_once(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None: ...

    async def drop_after_the_request(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await request_read(reader)

    assert reason(run(charged_below_http(drop_at_once))) == "connection-lost"
    assert reason(run(charged_below_http(drop_after_the_request))) == "connection-lost"


def test_a_connection_that_drops_within_the_answer_is_unknown() -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_read(reader)
        writer.write(http(APPROVED.encode())[:-40])
        await writer.drain()

    assert reason(run(charged_below_http(half))) == "connection-lost"


def test_a_connection_that_drops_after_the_answer_is_the_answer() -> None:
    async def whole(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_read(reader)
        writer.write(http(APPROVED.encode()))
        await writer.drain()

    assert isinstance(run(charged_below_http(whole)), Approved)


def test_an_answer_after_the_deadline_is_unknown() -> None:
    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response(text=APPROVED)

    assert reason(run(charged_at(slow, deadline_s=0.2))) == "time-out"


def test_an_answer_that_trickles_is_unknown_at_the_deadline() -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_read(reader)
        for byte in http(APPROVED.encode()):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.01)

    started = time.monotonic()
    assert reason(run(charged_below_http(trickle, deadline_s=0.3))) == "time-out"
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("declared", [True, False])
def test_an_answer_that_is_too_large_is_unknown(declared: bool) -> None:
    async def large(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if declared:
            response.content_length = 10_000_000
        await response.prepare(request)
        for _ in range(10_000):
            await response.write(b"x" * 1000)
        return response

    assert reason(run(charged_at(large, max_answer_bytes=50_000))) == "too-large"


def test_a_compressed_bomb_is_never_inflated() -> None:
    async def bomb(_: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(b"x" * 20_000_000), headers={"Content-Encoding": "gzip"})

    assert reason(run(charged_at(bomb, max_answer_bytes=50_000))) == "nonsense"


def test_a_redirect_is_not_followed() -> None:
    seen: list[str] = []

    async def redirect(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    assert reason(run(charged_at(redirect))) == "http-3xx"
    assert seen == ["/xml/v1/request.api"]


@pytest.mark.parametrize(("status", "slug"), [(500, "5xx"), (503, "5xx"), (403, "4xx"), (429, "4xx"), (202, "2xx")])
def test_any_status_but_200_is_unknown_whatever_the_body_says(status: int, slug: str) -> None:
    async def failing(_: web.Request) -> web.Response:
        return web.Response(status=status, text=APPROVED)

    assert reason(run(charged_at(failing))) == f"http-{slug}"


@pytest.mark.parametrize("answer", [b"220 smtp ready\r\n", b"HTTP/9.9 OK\r\n\r\n", b"\x00\xff\x00\xff\r\n\r\n"])
def test_what_is_not_even_http_is_unknown(answer: bytes) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_read(reader)
        writer.write(answer)
        await writer.drain()

    assert reason(run(charged_below_http(babble))) == "nonsense"


def test_a_charge_on_a_connection_that_was_kept_alive_and_then_dropped_is_sent_only_once() -> None:
    seen: list[int] = []

    async def one_answer_each(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = len(seen)
        await request_read(reader)
        seen.append(connection)
        writer.write(http(APPROVED.encode(), "Connection: keep-alive"))
        await writer.drain()
        await request_read(reader)  # a second request on this connection: taken, and never answered
        seen.append(connection)

    async def scenario() -> list[ChargeOutcome]:
        async with serving_bytes(one_answer_each) as url, gateway_at(url) as gateway:
            return [await gateway.charge(CHARGE), await gateway.charge(CHARGE)]

    first, second = run(scenario())
    assert isinstance(first, Approved)
    assert reason(second) == "connection-lost"
    assert seen == [0, 0]


@pytest.mark.parametrize(("keepalive_s", "used"), [(60.0, [0, 0]), (0.0, [0, 1])])
def test_a_connection_is_used_again_unless_it_was_idle_for_too_long(
    monkeypatch: pytest.MonkeyPatch, keepalive_s: float, used: list[int]
) -> None:
    monkeypatch.setattr(http_post, "_KEEPALIVE_S", keepalive_s)
    seen: list[int] = []
    opened: list[object] = []

    async def patient(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = len(opened)
        opened.append(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await request_read(reader)
                seen.append(connection)
                writer.write(http(APPROVED.encode(), "Connection: keep-alive"))
                await writer.drain()

    async def scenario() -> list[ChargeOutcome]:
        async with serving_bytes(patient) as url, gateway_at(url) as gateway:
            return [await gateway.charge(CHARGE), await gateway.charge(CHARGE)]

    assert all(isinstance(outcome, Approved) for outcome in run(scenario()))
    assert seen == used


def test_of_several_addresses_one_that_answers_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def approved(_: web.Request) -> web.Response:
        return web.Response(text=APPROVED)

    async def scenario() -> ChargeOutcome:
        async with serving(approved) as url, gateway_at(url) as gateway:
            with socket.socket() as unused:
                unused.bind(("127.0.0.1", 0))  # nobody listens: it refuses
                ports = unused.getsockname()[1], urlsplit(url).port

                async def addresses(_: http_post.HttpPost) -> list[AddrInfoType]:
                    kind = socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, ""
                    return [(*kind, ("127.0.0.1", port)) for port in ports]

                monkeypatch.setattr(http_post.HttpPost, "_addresses", addresses)
                return await gateway.charge(CHARGE)

    assert isinstance(run(scenario()), Approved)


def test_the_beginning_of_a_second_answer_never_becomes_the_answer_to_the_next_request() -> None:
    connections: list[int] = []

    async def one_and_a_half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(len(connections))
        whole = http(APPROVED.encode(), "Connection: keep-alive")
        await request_read(reader)
        writer.write(whole + whole[:60])
        await writer.drain()
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await request_read(reader)
            writer.write(whole[60:])
            await writer.drain()

    async def scenario() -> list[ChargeOutcome]:
        async with serving_bytes(one_and_a_half) as url, gateway_at(url) as gateway:
            return [await gateway.charge(CHARGE), await gateway.charge(CHARGE)]

    assert all(isinstance(outcome, Approved) for outcome in run(scenario()))
    assert connections == [0, 1]


def test_a_head_without_end_is_too_large() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_read(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        with suppress(ConnectionError):
            for _ in range(400):
                writer.write(b"x" * 1000)
                await writer.drain()

    assert reason(run(charged_below_http(endless, max_answer_bytes=50_000))) in {"too-large", "nonsense"}


# --- the rest ---------------------------------------------------------------------------------------------------------


def test_cancelling_a_charge_raises() -> None:
    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    async def scenario() -> None:
        async with serving(slow) as url, gateway_at(url) as gateway:
            task = asyncio.create_task(gateway.charge(CHARGE))
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    run(scenario())


def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    assert isinstance(run(charged_at(Script(APPROVED))), Approved)


def test_cookies_are_not_kept() -> None:
    seen: list[bool] = []

    async def sticky(request: web.Request) -> web.Response:
        seen.append("Cookie" in request.headers)
        response = web.Response(text=APPROVED)
        response.set_cookie("session", "1")
        return response

    async def scenario() -> None:
        async with serving(sticky) as url, gateway_at(url) as gateway:
            await gateway.charge(CHARGE)
            await gateway.charge(CHARGE)

    run(scenario())
    assert seen == [False, False]


def test_a_hundred_charges_wait_for_a_slow_gateway_at_once() -> None:
    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(0.15)
        return web.Response(text=APPROVED)

    async def scenario() -> float:
        async with serving(slow) as url, gateway_at(url) as gateway:
            await gateway.charge(CHARGE)
            started = time.monotonic()
            outcomes = await asyncio.gather(*(gateway.charge(CHARGE) for _ in range(100)))
            assert all(isinstance(outcome, Approved) for outcome in outcomes)
            return time.monotonic() - started

    assert run(scenario()) < 0.15 + 0.85

"""Whatever happens on the wire, a send is told as not sent only where nothing of it can have left."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.application.adapters.mandrill.certificates import self_signed
from tests.application.adapters.mandrill.wire import Reply, Script, email, mailer_at, run, serving, serving_bytes

ROW = {"email": "anna@example.com", "status": "sent", "_id": "0123456789abcdef0123456789abcdef"}


async def ended(url: str, **limits: Any) -> tuple[str, str | None]:
    async with mailer_at(url, **limits) as mailer:
        result = await mailer.send(email())
    return result.status, result.reason


async def ended_below_http(reply: Reply, **limits: Any) -> tuple[str, str | None]:
    async with serving_bytes(reply) as url:
        return await ended(url, **limits)


async def request_read(reader: asyncio.StreamReader) -> None:
    """Take the whole request, or stop where the client does."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(int(length.partition(b":")[2]))


# --- nothing was sent -------------------------------------------------------------------------------------------------


def test_a_refused_connection_is_not_sent() -> None:
    with socket.socket() as taken:  # bound but not listening: nobody can answer here
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        assert run(ended(url)) == ("not-sent", "connection-refused")


def test_a_name_that_does_not_resolve_is_not_sent() -> None:
    assert run(ended("https://invalid.invalid/api/1.3", connect_timeout_s=8.0, deadline_s=9.0)) == ("not-sent", "dns")


def test_a_connection_that_does_not_come_about_in_time_is_not_sent() -> None:
    async def scenario() -> None:
        async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            await reader.read()  # takes the connection, but never answers the TLS handshake

        async with serving_bytes(silent) as url:
            outcome = await ended(url.replace("http:", "https:"), connect_timeout_s=0.2)
        assert outcome == ("not-sent", "connect-timeout")

    run(scenario())


def test_a_certificate_that_nobody_vouches_for_is_not_sent(tmp_path: Path) -> None:
    async def scenario() -> None:
        script = Script([ROW])
        async with serving(script.answer, tls=self_signed(tmp_path)) as url:
            assert await ended(url) == ("not-sent", "tls")
        assert script.bodies == []

    run(scenario())


def test_a_send_that_finds_no_free_connection_is_not_sent() -> None:
    async def scenario() -> None:
        release = asyncio.Event()

        async def slow(_request: web.Request) -> web.Response:
            await release.wait()
            return web.json_response([ROW])

        async with serving(slow) as url, mailer_at(url, max_connections=1, connect_timeout_s=0.2) as mailer:
            first = asyncio.create_task(mailer.send(email()))
            await asyncio.sleep(0.05)
            second = await mailer.send(email())
            release.set()
            assert (second.status, second.reason) == ("not-sent", "pool-exhausted")
            assert (await first).succeeded

    run(scenario())


def test_nothing_is_sent_after_close() -> None:
    async def scenario() -> None:
        async with serving(Script([ROW]).answer) as url, mailer_at(url) as mailer:
            await mailer.close()
            result = await mailer.send(email())
        assert (result.status, result.reason) == ("not-sent", "shut-down")

    run(scenario())


# --- it may have been sent --------------------------------------------------------------------------------------------


def test_an_answer_that_trickles_is_unknown_at_the_deadline() -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_read(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    assert run(ended_below_http(trickle, deadline_s=0.3)) == ("unknown", "time-out")


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[{"])
def test_a_connection_lost_after_sending_is_unknown(begun: bytes) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_read(reader)
        writer.write(begun)
        await writer.drain()

    assert run(ended_below_http(hang_up)) == ("unknown", "connection-lost")


def test_a_connection_lost_while_sending_is_unknown() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        writer.transport.abort()

    assert run(ended_below_http(hang_up)) == ("unknown", "connection-lost")


def test_an_answer_that_is_no_http_is_unknown() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_read(reader)
        writer.write(b"220 mail.example.com ESMTP\r\n\r\n")

    assert run(ended_below_http(babble)) == ("unknown", "nonsense")


def test_an_answer_beyond_the_size_limit_is_unknown() -> None:
    async def scenario() -> None:
        async with serving(Script([ROW] * 100).answer) as url:
            assert await ended(url, max_answer_bytes=1_000) == ("unknown", "too-large")

    run(scenario())


def test_a_redirect_is_not_followed() -> None:
    async def scenario() -> None:
        script = Script(b"", status=307, headers={"Location": "/elsewhere"})
        async with serving(script.answer) as url:
            assert await ended(url) == ("unknown", "http-3xx")
        assert len(script.bodies) == 1

    run(scenario())


def test_a_compressed_answer_that_nobody_asked_for_is_not_unpacked() -> None:
    async def scenario() -> None:
        script = Script(gzip.compress(json.dumps([ROW]).encode()), headers={"Content-Encoding": "gzip"})
        async with serving(script.answer) as url:
            assert await ended(url) == ("unknown", "nonsense")
        assert script.headers[0]["Accept-Encoding"] == "identity"

    run(scenario())


# --- one pool ---------------------------------------------------------------------------------------------------------


def test_sends_in_turn_share_one_connection_and_keep_no_cookie() -> None:
    async def scenario() -> None:
        peers, cookies = set(), set()

        async def answer(request: web.Request) -> web.Response:
            peers.add(request.transport.get_extra_info("peername") if request.transport else None)
            cookies.add(request.headers.get("Cookie"))
            return web.json_response([ROW], headers={"Set-Cookie": "visited=1"})

        async with serving(answer) as url, mailer_at(url) as mailer:
            for _ in range(20):
                assert (await mailer.send(email())).succeeded
        assert (len(peers), cookies) == (1, {None})

    run(scenario())


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    async def scenario() -> None:
        async with serving(Script([ROW]).answer) as url:
            assert (await ended(url))[0] == "sent"

    run(scenario())


def test_a_cancelled_send_stays_cancelled() -> None:
    async def scenario() -> None:
        async def silent(_request: web.Request) -> web.Response:
            await asyncio.sleep(5)
            return web.json_response([])

        async with serving(silent) as url, mailer_at(url) as mailer:
            send = asyncio.create_task(mailer.send(email()))
            await asyncio.sleep(0.05)
            send.cancel()
            with pytest.raises(asyncio.CancelledError):
                await send

    run(scenario())

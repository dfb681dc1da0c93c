"""A connection that the other side closes while it is idle is not used any more: its close must not meet a request."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
import uvloop
from aiohttp import web

from application.adapters import http_post
from application.adapters.http_post import HttpPost, Limits, Lost, Reply
from tests.application.adapters.mandrill.certificates import self_signed

LIMITS = Limits(connect_timeout_s=2.0, max_answer_bytes=10_000, max_connections=10)
LOOPS = pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])


class Server:
    """Answers everything, closes what is idle for `idle_s`, and counts its connections and requests."""

    def __init__(self, idle_s: float, keep_alive: str | None = None) -> None:
        self._idle_s = idle_s
        self._headers = {"Keep-Alive": keep_alive} if keep_alive else {}
        self._connections: set[Any] = set()
        self.requests = 0

    @property
    def connections(self) -> int:
        return len(self._connections)

    def close_connections(self) -> None:
        for connection in self._connections:
            connection.close()

    async def _answer(self, request: web.Request) -> web.Response:
        self.requests += 1
        self._connections.add(request.transport)
        await asyncio.sleep(0.01)
        return web.Response(text="yes", headers=self._headers)

    @asynccontextmanager
    async def running(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_post("/", self._answer)
        runner = web.AppRunner(app, keepalive_timeout=self._idle_s, access_log=None, shutdown_timeout=0)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
            yield f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}/"
        finally:
            await runner.cleanup()

    @contextmanager
    def running_aside(self, tls: ssl.SSLContext | None) -> Iterator[str]:
        """In a thread of its own, so that it goes on while the client's event loop does not."""
        started: Queue[tuple[str, Callable[[], Any]]] = Queue()

        async def serve() -> None:
            end = asyncio.Event()
            async with self.running(tls) as url:
                started.put((url, partial(asyncio.get_running_loop().call_soon_threadsafe, end.set)))
                await end.wait()

        thread = threading.Thread(target=asyncio.run, args=(serve(),))
        thread.start()
        url, end = started.get(timeout=5)
        try:
            yield url
        finally:
            end()
            thread.join()


@asynccontextmanager
async def posting(url: str) -> AsyncIterator[Callable[[], Any]]:
    """A way to post to the URL over one pool."""
    post = HttpPost(url, LIMITS)
    try:
        yield lambda: post(url, b"please", {}, 5.0)
    finally:
        await post.close()


@LOOPS
@pytest.mark.parametrize("encrypted", [False, True])
def test_a_close_that_the_event_loop_has_not_noticed_yet_is_seen_before_a_request_is_sent(
    loop: Callable[[], asyncio.AbstractEventLoop], encrypted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = self_signed(tmp_path) if encrypted else None
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))
    server = Server(idle_s=1.0)

    async def scenario(url: str) -> None:
        async with posting(url) as post:
            assert await post() == Reply(200, b"yes")
            time.sleep(1.5)  # the loop stands still, and the server closes
            assert await post() == Reply(200, b"yes")

    with server.running_aside(tls) as url, asyncio.Runner(loop_factory=loop) as runner:
        runner.run(scenario(url))
    assert (server.connections, server.requests) == (2, 2)


@LOOPS
@pytest.mark.parametrize("encrypted", [False, True])
def test_a_connection_that_is_still_there_after_a_while_is_used_again(
    loop: Callable[[], asyncio.AbstractEventLoop], encrypted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = self_signed(tmp_path) if encrypted else None
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))
    server = Server(idle_s=5.0)

    async def scenario() -> None:
        async with server.running(tls) as url, posting(url) as post:
            assert await post() == Reply(200, b"yes")
            await asyncio.sleep(1.1)
            assert await post() == Reply(200, b"yes")

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(scenario())
    assert (server.connections, server.requests) == (1, 2)


@LOOPS
def test_after_one_connection_was_closed_idle_none_is_used_for_nearly_as_long(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    server = Server(idle_s=1.5)

    async def scenario() -> list[int]:
        async with server.running() as url, posting(url) as post:
            connections = []
            await asyncio.gather(post(), post())
            await asyncio.sleep(1.0)
            await post()  # on one of the two; the other one is closed half a second later
            connections.append(server.connections)
            await asyncio.sleep(1.3)  # the first one is still open: the server waits for 1.5 s
            await post()
            connections.append(server.connections)
            await asyncio.sleep(0.5)
            await post()
            connections.append(server.connections)
            return connections

    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(scenario()) == [2, 3, 3]
    assert server.requests == 5


def test_a_server_that_restarts_teaches_nothing_about_idle_connections() -> None:
    server = Server(idle_s=60.0)

    async def scenario() -> None:
        async with server.running() as url, posting(url) as post:
            await asyncio.gather(post(), post())
            server.close_connections()
            await asyncio.sleep(0.1)
            await post()
            await asyncio.sleep(1.1)
            await post()

    asyncio.run(scenario())
    assert (server.connections, server.requests) == (3, 4)


@pytest.mark.parametrize(("keep_alive", "connections"), [("timeout=60, max=9", 1), ("Timeout=1", 2), ("max=9", 1)])
def test_a_connection_is_given_up_a_second_before_the_server_says_that_it_will_close_it(
    keep_alive: str, connections: int
) -> None:
    server = Server(idle_s=60.0, keep_alive=keep_alive)

    async def scenario() -> None:
        async with server.running() as url, posting(url) as post:
            await post()
            await asyncio.sleep(0.05)
            await post()

    asyncio.run(scenario())
    assert (server.connections, server.requests) == (connections, 2)


def test_what_a_server_says_on_an_idle_connection_ends_it_and_is_no_answer() -> None:
    async def told_then_served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"please")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes")
        await asyncio.sleep(0.1)
        writer.write(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        with suppress(ConnectionError):
            await reader.read()
        writer.close()
        ended.append(writer)

    async def scenario() -> list[Any]:
        server = await asyncio.start_server(told_then_served, "127.0.0.1", 0)
        async with server, posting(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/") as post:
            answers = [await post()]
            await asyncio.sleep(0.2)
            answers.append(await post())
            await asyncio.sleep(0.2)
            return answers

    ended: list[asyncio.StreamWriter] = []
    assert asyncio.run(scenario()) == [Reply(200, b"yes"), Reply(200, b"yes")]
    assert len(ended) == 2


def test_no_learned_time_is_longer_than_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_post, "_KEEPALIVE_S", 0.2)
    server = Server(idle_s=1.1)

    async def scenario() -> None:
        async with server.running() as url, posting(url) as post:
            await post()
            await asyncio.sleep(1.3)
            await post()
            await asyncio.sleep(0.3)
            await post()

    asyncio.run(scenario())
    assert (server.connections, server.requests) == (3, 3)


@LOOPS
@pytest.mark.parametrize(("first_s", "second_s"), [(0.3, 0.4), (5.0, 0.4), (0.1, 0.4)])
def test_each_request_on_a_connection_ends_at_its_own_deadline(
    loop: Callable[[], asyncio.AbstractEventLoop], first_s: float, second_s: float
) -> None:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"please")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes")
        with suppress(ConnectionError):
            await reader.read()  # whatever else is asked is never answered
        writer.close()

    async def scenario() -> tuple[Any, Any, float]:
        server = await asyncio.start_server(once, "127.0.0.1", 0)
        async with server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            post = HttpPost(url, LIMITS)
            first = await post(url, b"please", {}, first_s)
            await asyncio.sleep(0.2)
            started = time.monotonic()
            second = await post(url, b"again", {}, second_s)
            took_s = time.monotonic() - started
            await post.close()
            await asyncio.sleep(0.05)
        return first, second, took_s

    with asyncio.Runner(loop_factory=loop) as runner:
        first, second, took_s = runner.run(scenario())
    assert (first, second) == (Reply(200, b"yes"), Lost("time-out"))
    assert second_s - 0.01 < took_s < second_s + 0.3

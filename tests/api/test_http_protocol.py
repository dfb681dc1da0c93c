"""The head of an answer leaves with its body, and never waits for one that does not come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from api.http_protocol import BODY_IS_WHOLE, HttpProtocol

WAIT_S = 5.0


class Written(asyncio.Transport):
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.pieces: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        self.pieces.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def resume_reading(self) -> None:
        pass


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Says "hello" in one piece, or in two with a pause between them."""
    if scope["path"] == "/upload":
        await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    if scope["path"] == "/slow":
        await asyncio.sleep(0.05)
        await send({"type": "http.response.body", "body": b"he", "more_body": True})
        await asyncio.sleep(0.05)
        await send({"type": "http.response.body", "body": b"llo"})
    else:
        await send({"type": "http.response.body", "body": b"hello"})


def written(*requests: bytes) -> Written:
    """What is written to a connection that sends these pieces, with a pause after each."""
    return asyncio.run(_written(requests))


async def _written(requests: tuple[bytes, ...]) -> Written:
    transport = Written()
    config = uvicorn.Config(answer, log_level="error", lifespan="off")
    protocol = HttpProtocol(config, ServerState(), {})
    protocol.connection_made(transport)
    for request in requests:
        protocol.data_received(request)
        await asyncio.sleep(0.2)
    return transport


def test_head_and_body_are_one_write() -> None:
    transport = written(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    (piece,) = transport.pieces
    assert piece.startswith(b"HTTP/1.1 200 OK\r\n")
    assert piece.endswith(b"\r\n\r\nhello")


def test_every_answer_of_a_connection_is_one_write() -> None:
    request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    transport = written(request, request, request + request)
    assert len(transport.pieces) == 4


def test_a_body_in_pieces_is_written_as_it_comes() -> None:
    transport = written(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
    head, first, second = transport.pieces  # the head does not wait for a body that takes its time
    assert head.endswith(b"\r\n\r\n")
    assert (first, second) == (b"he", b"llo")


def test_an_answer_to_head_leaves_without_a_body() -> None:
    transport = written(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
    (piece,) = transport.pieces
    assert piece.endswith(b"\r\n\r\n")


def test_what_was_held_leaves_before_the_connection_closes() -> None:
    transport = written(b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert transport.closed
    assert b"".join(transport.pieces).startswith(b"HTTP/1.1 200 OK\r\n")


def test_an_invitation_to_send_on_is_not_held() -> None:
    transport = written(b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n", b"ab")
    invitation, whole = transport.pieces
    assert invitation == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert whole.endswith(b"hello")


@asynccontextmanager
async def _serving() -> AsyncIterator[int]:
    config = uvicorn.Config(answer, http=HttpProtocol, port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await serving


def test_it_serves_over_a_real_connection() -> None:
    asyncio.run(_ask_a_real_server())


async def _ask_a_real_server() -> None:
    async with _serving() as port, asyncio.timeout(WAIT_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for path in (b"/", b"/slow"):
            writer.write(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK\r\n")
            assert await reader.readexactly(5) == b"hello"
        writer.close()
        await writer.wait_closed()


def test_a_request_knows_whether_its_body_is_whole() -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"
    assert known(head + b"body") == [True]
    assert known(head, b"bo") == [False]
    assert known(head + b"body" + head) == [True]  # of the first; the second waits for its answer


def known(*requests: bytes) -> list[bool]:
    """What each request that began says of its body when it begins."""
    return asyncio.run(_known(requests))


async def _known(requests: tuple[bytes, ...]) -> list[bool]:
    told: list[bool] = []

    async def tell(scope: Scope, receive: Receive, send: Send) -> None:
        told.append(scope["state"].get(BODY_IS_WHOLE, False))
        await asyncio.sleep(WAIT_S)

    protocol = HttpProtocol(uvicorn.Config(tell, log_level="error", lifespan="off"), ServerState(), {})
    protocol.connection_made(Written())
    for request in requests:
        protocol.data_received(request)
        await asyncio.sleep(0.05)
    return told

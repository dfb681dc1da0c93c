"""One connection to a vendor: writes a request in one piece, and reads the one answer to it."""

from __future__ import annotations

import asyncio
import re
import select
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Final, cast

import httptools

MAX_HEAD_BYTES: Final = 64 * 1024
MOMENT_S: Final = 1.0  # no server's time-out for idle connections is shorter

_TIMEOUT: Final = re.compile(rb"timeout=(\d{1,9})", re.IGNORECASE)  # of Keep-Alive, in whole seconds


@dataclass(frozen=True)
class Reply:
    """A complete HTTP answer, whatever its status."""

    status: int
    body: bytes


class Broken(Exception):
    """No complete answer came; the text says why: time-out, connection-lost, nonsense, too-large, cancelled."""


class HttpConnection(asyncio.Protocol):
    """HTTP/1.1 (RFC 9112) as a client, one request at a time; the parser is that of httptools."""

    def __init__(self, max_answer_bytes: int, ended_idle: Callable[[float], None]) -> None:
        """`ended_idle` hears for how long the connection had been idle when the other side ended it."""
        self._max_answer_bytes = max_answer_bytes
        self._ended_idle = ended_idle
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[Reply] | None = None  # while a request is under way
        self._ends_at_s = inf  # of that request
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at_s = inf
        self._body = bytearray()
        self._received = 0  # bytes since the request
        self._has_headers = False
        self._has_length = False  # or is chunked: an answer without either ends with the connection
        self._idle_since_s = monotonic()
        self._kept_s = inf  # for how long the other side says that it keeps an idle connection, less a second

    def send(self, request: bytes, ends_at_s: float) -> asyncio.Future[Reply]:
        """Send once; the answer comes up to that loop time. Instead of it may come Broken; the connection is gone then.

        Whoever has waited for it calls `finish`, whether it came or not.
        """
        answer: asyncio.Future[Reply] = self._loop.create_future()
        self._answer = answer
        self._received = 0
        self._begin()
        self._ends_at_s = ends_at_s
        if ends_at_s < self._timer_at_s:
            self._set_timer()
        assert self._transport is not None
        self._transport.write(request)
        return answer

    def finish(self) -> bool:
        """End the request, and say whether the next may be sent."""
        if self._answer is not None:  # cancelled: the answer may still come, and must not meet the next request
            self._fail("cancelled")
        return self._transport is not None and not self._transport.is_closing()

    def usable_after_idling(self, limit_s: float) -> bool:
        """Whether the next request may be sent, after less than `limit_s` without one: the other side is still there.

        A request that meets its close may have been carried out or not, and nobody could tell.
        """
        transport = self._transport
        idle_s = monotonic() - self._idle_since_s
        if transport is None or idle_s >= limit_s or idle_s >= self._kept_s:
            return False
        if transport.is_closing() or (idle_s >= MOMENT_S and _has_something_to_read(transport)):
            self._end_idle()
            return False
        return True

    def abort(self) -> None:
        """Close at once; a request under way is lost."""
        self._fail("connection-lost")

    # --- called by the event loop -------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._answer is None:  # nobody asked: a time-out that is told, as 408, or nonsense
            self._end_idle()
            return
        self._received += len(data)
        if self._received > self._max_answer_bytes + MAX_HEAD_BYTES:
            self._fail("too-large")
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail("nonsense")

    def connection_lost(self, error: Exception | None) -> None:
        ended_by_closing = error is None and self._has_headers and not self._has_length
        if self._answer is None:
            self._end_idle()
        self._transport = None
        if self._answer is not None and ended_by_closing:
            self._complete()
        self._fail("connection-lost")

    # --- called by the parser -----------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self._answer is None:  # the first byte of an answer that nobody asked for
            self._close()

    def on_header(self, name: bytes, value: bytes) -> None:
        match name.lower():
            case b"content-length" | b"transfer-encoding":
                self._has_length = True
            case b"keep-alive" if timeout := _TIMEOUT.search(value):
                self._kept_s = int(timeout[1]) - 1.0

    def on_headers_complete(self) -> None:
        self._has_headers = True

    def on_body(self, part: bytes) -> None:
        self._body += part
        if len(self._body) > self._max_answer_bytes:
            self._fail("too-large")

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() < 200:  # an interim answer; the real one follows
            self._begin()
        elif self._answer is not None:
            reusable = self._parser.should_keep_alive()
            self._complete()
            if not reusable:
                self._close()
        else:  # a second answer to one request
            self._close()

    def _begin(self) -> None:
        self._body = bytearray()
        self._has_headers = self._has_length = False

    def _complete(self) -> None:
        answer, self._answer = self._answer, None
        self._idle_since_s = monotonic()
        if answer is not None and not answer.done():
            answer.set_result(Reply(self._parser.get_status_code(), bytes(self._body)))

    def _fail(self, reason: str) -> None:
        answer, self._answer = self._answer, None
        self._close()
        if answer is not None and not answer.done():
            answer.set_exception(Broken(reason))

    def _set_timer(self) -> None:
        """For the request under way. One that ends in time leaves the timer to the next, which ends later."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at_s = self._ends_at_s
        self._timer = self._loop.call_at(self._timer_at_s, self._on_timer)

    def _on_timer(self) -> None:
        self._timer, self._timer_at_s = None, inf
        if self._answer is None:
            return
        if self._loop.time() < self._ends_at_s:  # the timer was that of an earlier request
            self._set_timer()
        else:
            self._fail("time-out")

    def _end_idle(self) -> None:
        """The other side closes, or speaks though it was not asked; nothing if we have closed already."""
        if self._transport is not None:
            self._ended_idle(monotonic() - self._idle_since_s)
            self._close()

    def _close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()


def _has_something_to_read(transport: asyncio.Transport) -> bool:
    """Asked of the system: bytes or a close that came, and that the event loop has not got round to yet."""
    poll = select.poll()
    poll.register(transport.get_extra_info("socket"), select.POLLIN)
    return bool(poll.poll(0))

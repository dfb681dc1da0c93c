"""Servers in threads of their own, so that tests can speak to them as anybody would: over HTTP."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TypeVar

import uvicorn
from fastapi import FastAPI

T = TypeVar("T")

START_LIMIT_S = 15.0


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve the app as `orders serve` does, in a thread; gives its URL."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        config = uvicorn.Config(app, log_config=None, access_log=False, server_header=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + START_LIMIT_S
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            assert time.monotonic() < deadline, "the server did not start in time"
            time.sleep(0.005)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(timeout=START_LIMIT_S)
            assert not thread.is_alive(), "the server did not stop"


@contextmanager
def entered(context: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """Hold an asynchronous context open on a loop in a thread of its own."""
    started: Future[tuple[T, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def hold() -> None:
        stop = asyncio.Event()
        async with context as value:
            started.set_result((value, asyncio.get_running_loop(), stop))
            await stop.wait()

    with ThreadPoolExecutor(1) as thread:
        held = thread.submit(lambda: asyncio.run(hold()))
        held.add_done_callback(lambda done: started.cancel() or None)
        value, loop, stop = started.result(START_LIMIT_S)
        try:
            yield value
        finally:
            loop.call_soon_threadsafe(stop.set)
            held.result(START_LIMIT_S)

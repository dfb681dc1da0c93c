"""Starts sandboxes, a store and the API on this machine, tries every ending, shows what happened, and keeps serving."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import uvicorn

from api.app import create_app
from api.demo.report import Tried, as_data, print_table
from api.demo.trying import Trial
from api.directory_import import import_file
from api.sandbox.servers import Sandboxes, sandboxes
from api.settings import Settings

DIRECTORY = Path(__file__).with_name("directory.json")
NOWHERE = "http://127.0.0.1:9/xml/v1/request.api"  # nothing listens there (RFC 863's port, unused)
GATEWAY_DEADLINE_S = 1.0  # the demo does not wait long for a gateway that never answers


async def run_demo(*, once: bool, as_json: bool, port: int) -> int:
    """Run the demo; 0 if every ending came out as expected, else 1, and 2 if the port is taken."""
    try:
        listening = _listen(port)
    except OSError:
        sys.stderr.write(f"error: port {port} is taken; choose another with --port\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="orders-demo-") as name:
        folder = Path(name)
        base = Settings(database_url=f"sqlite:///{folder}/orders.db", gateway_deadline_s=GATEWAY_DEADLINE_S)
        async with sandboxes(base) as vendors:
            urls = {"authorizenet_url": vendors.authorizenet_url, "mandrill_url": vendors.mandrill_url}
            settings = base.model_copy(update=urls)
            await import_file(settings, DIRECTORY)
            async with _serving(settings, listening) as url:
                tried = await _try_all(settings, folder, url)
                _show(tried, url, vendors, as_json=as_json)
                if not once:
                    sys.stderr.write("orders: serving until Ctrl-C\n")
                    await _until_stopped()
    return 0 if all(entry.as_expected for entry in tried) else 1


async def _try_all(settings: Settings, folder: Path, url: str) -> list[Tried]:
    cut_off = settings.model_copy(update={"authorizenet_url": NOWHERE})
    logging.disable(logging.CRITICAL)  # some endings are crashes on purpose: the table tells, not their tracebacks
    async with (
        _serving(cut_off, _listen(0)) as unreachable_url,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30), trust_env=False) as http,
    ):
        trial = Trial(
            http, url=url, unreachable_url=unreachable_url, settings=settings, folder=folder, directory=DIRECTORY
        )
        tried: list[Tried] = []
        async for entry in trial.all():
            sys.stderr.write(f"\r{len(tried) + 1:>3} endings tried")
            tried.append(entry)
        sys.stderr.write("\n")
    logging.disable(logging.NOTSET)
    return tried


def _show(tried: list[Tried], url: str, vendors: Sandboxes, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(as_data(tried, url, vendors), indent=2) + "\n")
    else:
        print_table(tried, url, vendors)
    sys.stdout.flush()


def _listen(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError:
        listening.close()
        raise
    return listening


@asynccontextmanager
async def _serving(settings: Settings, listening: socket.socket) -> AsyncIterator[str]:
    """The API on the socket, in this event loop."""
    config = uvicorn.Config(create_app(settings), log_level="warning", access_log=False, server_header=False)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        while not server.started:
            await asyncio.sleep(0.01)
            if task.done():
                await task
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


async def _until_stopped() -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()

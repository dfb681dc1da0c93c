"""Runs the HTTP server: one process, or several that share a socket; and the background work beside it."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.process import BaseProcess

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from api.app import create_app
from api.garbage import spare_what_stays
from api.http_protocol import HttpProtocol
from api.work_process import WorkProcess

READY_WITHIN_S = 60.0
GRACE_S = 60  # a request under way may need the gateway's and the mail provider's deadlines to end well
WORK_READY_WITHIN_S = 15.0
OPEN_FILES = 8_192


class PortTaken(Exception):
    """The address cannot be listened on."""


def serve(host: str, port: int, workers: int, *, work: bool) -> None:
    """Serve until a signal says to stop; prints one line with the URL once requests are answered.

    Raises PortTaken.
    """
    _allow_many_files()
    listening = _listen(host, port)
    background = WorkProcess() if work else None
    several = workers > 1
    config = uvicorn.Config(
        # Several processes hear of events from PostgreSQL; one tells its own.
        "api.serving:server_app" if several else lambda: server_app(background.wake if background else None),
        factory=True,
        http=HttpProtocol,
        host=host,
        port=port,
        workers=workers,
        log_level="warning",
        access_log=False,
        server_header=False,
        backlog=4096,
        timeout_graceful_shutdown=GRACE_S,
    )
    if background is not None:
        background.start()
    url = f"http://{host}:{listening.getsockname()[1]}"
    threading.Thread(target=_announce, args=(url, background), daemon=True).start()
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn takes the signal, stops, and then raises it once more: stopped as asked is exit code 0.
        signal.signal(number, lambda *_: None)
    try:
        if several:
            Multiprocess(config, sockets=[listening]).run()
        else:
            uvicorn.Server(config).run(sockets=[listening])
    finally:
        if background is not None:
            background.stop()


def server_app(wake: Callable[[], None] | None = None) -> FastAPI:
    """The application of one server process, whose background work is done elsewhere."""
    if (supervisor := multiprocessing.parent_process()) is not None:
        threading.Thread(target=_end_with, args=(supervisor,), daemon=True).start()
    app = create_app(work=False, wake=wake)
    spare_what_stays()
    return app


def _end_with(supervisor: BaseProcess) -> None:
    """One of several servers must not go on when the process that keeps the background work has been killed."""
    supervisor.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _allow_many_files() -> None:
    """An order under way holds two connections, and the usual limit of 1,024 files is one for interactive programs."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if most == resource.RLIM_INFINITY else min(OPEN_FILES, most)
    if resource.RLIM_INFINITY != now < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise PortTaken(f"cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}") from error
    listening.set_inheritable(True)
    return listening


def _announce(url: str, background: WorkProcess | None) -> None:
    """Say that the server is ready once it answers, and its background work has begun."""
    if background is not None:
        background.wait_until_ready(WORK_READY_WITHIN_S)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        with suppress(OSError), opener.open(url + "/health/live", timeout=2):
            sys.stdout.write(f"orders: serving on {url}\n")
            sys.stdout.flush()
            return
        time.sleep(0.05)

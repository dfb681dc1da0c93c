"""Runs the HTTP server: one process, or several that share a socket."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
import urllib.request
from contextlib import suppress

import uvicorn
from uvicorn.supervisors import Multiprocess

READY_WITHIN_S = 60.0
GRACE_S = 60  # a request under way may need the gateway's and the mail provider's deadlines to end well


class PortTaken(Exception):
    """The address cannot be listened on."""


def serve(host: str, port: int, workers: int, *, work: bool) -> None:
    """Serve until a signal says to stop; prints one line with the URL once requests are answered.

    Raises PortTaken.
    """
    config = uvicorn.Config(
        "api.app:create_app" if work else "api.app:create_app_without_work",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        log_level="warning",
        access_log=False,
        server_header=False,
        backlog=4096,
        timeout_graceful_shutdown=GRACE_S,
    )
    listening = _listen(host, port)
    url = f"http://{host}:{listening.getsockname()[1]}"
    threading.Thread(target=_announce, args=(url,), daemon=True).start()
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn takes the signal, stops, and then raises it once more: stopped as asked is exit code 0.
        signal.signal(number, lambda *_: None)
    if workers == 1:
        uvicorn.Server(config).run(sockets=[listening])
    else:
        Multiprocess(config, sockets=[listening]).run()


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


def _announce(url: str) -> None:
    """Say that the server is ready once it answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        with suppress(OSError), opener.open(url + "/health/live", timeout=2):
            sys.stdout.write(f"orders: serving on {url}\n")
            sys.stdout.flush()
            return
        time.sleep(0.05)

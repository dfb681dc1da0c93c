"""A real HTTP server on 127.0.0.1 with a port of its own, and a client that says nothing on its own account."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.types import ASGIApp


@dataclass(frozen=True)
class Answered:
    code: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.body)
        return content

    @property
    def status(self) -> str:
        return str(self.json["status"])

    @property
    def fault(self) -> tuple[str, str | None]:
        """Status and parameter at fault."""
        return self.status, self.json["error"]["param"]

    @property
    def detail(self) -> str | None:
        detail: str | None = self.json["error"]["detail"]
        return detail


@contextmanager
def serving(app: ASGIApp) -> Iterator[int]:
    """Serve the app in a thread; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, log_config=None, lifespan="off", ws="none", access_log=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.005)
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(timeout=5)


def send(
    port: int,
    method: str,
    path: str,
    body: bytes | Iterable[bytes] | None = None,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
) -> Answered:
    """One request, byte for byte: an iterable goes out in chunks, and no header is added but Host and the length."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers.items() if isinstance(headers, Mapping) else headers:
            connection.putheader(name, value)
        if isinstance(body, bytes):
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
        elif body is not None:
            connection.putheader("Transfer-Encoding", "chunked")
            connection.endheaders(body, encode_chunked=True)
        else:
            connection.endheaders()
        response = connection.getresponse()
        return Answered(response.status, response.headers, response.read())
    finally:
        connection.close()

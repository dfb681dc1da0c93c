"""uvicorn's HTTP protocol, with the head and the body of an answer in one write, and told when a body is whole.

uvicorn writes them one after the other: two system calls and two packets, of which the first wakes the client for
nothing. ASGI has the head wait for the body anyway (specification of HTTP, "Response Start").
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_HEAD: Final = b"HTTP/1.1 "
BODY_IS_WHOLE: Final = "body_is_whole"  # in the request's `state` once all of its body has come: nobody waits for it
_INTERIM: Final = b"HTTP/1.1 1"  # 100 Continue: the client waits for it before it sends on


class OneWrite:
    """A transport that holds the head of an answer until its first piece follows, or until the loop's next round."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if self._head:
            self._release(data)
        elif data.startswith(_HEAD) and not data.startswith(_INTERIM):
            self._head = data
            self._loop.call_soon(self._release)  # an answer without a body: to HEAD, say
        else:
            self._transport.write(data)

    def close(self) -> None:
        self._release()
        self._transport.close()

    def _release(self, data: bytes = b"") -> None:
        head, self._head = self._head, b""
        if head or data:
            self._transport.write(head + data)


class HttpProtocol(HttpToolsProtocol):
    """To be given to uvicorn as its `http`."""

    def on_message_complete(self) -> None:
        self.scope["state"][BODY_IS_WHOLE] = True
        super().on_message_complete()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(OneWrite(transport, self.loop))  # type: ignore[arg-type]

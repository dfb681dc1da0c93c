"""Starts an aiohttp application on a local port and stops it again."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from aiohttp import web

SHUTDOWN_TIMEOUT_S = 2.0


class RunningSandbox:
    """A sandbox server that accepts requests while the `async with` block lasts.

    Port 0 takes any free port; `url` says which, without a slash at the end. Raises OSError where the port is taken.
    """

    def __init__(self, app: web.Application, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.app = app
        self._host = host
        self._port = port
        # A caller that hangs up cancels its handler, so a request that is never answered costs nothing once it is left.
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=SHUTDOWN_TIMEOUT_S
        )

    @property
    def port(self) -> int:
        """The port it really listens on; asked for before the start, the port that was wished for."""
        addresses = self._runner.addresses
        return int(addresses[0][1]) if addresses else self._port

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self.port}"

    async def start(self) -> None:
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port, backlog=1024).start()
        except OSError:
            await self._runner.cleanup()
            raise

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

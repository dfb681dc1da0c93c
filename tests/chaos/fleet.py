"""The processes of the product, kept running by a supervisor, and what is done to them."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from urllib.parse import urlsplit

from tests.chaos.processes import START_LIMIT_S, Process, Starter
from tests.chaos.proxy import Streams

POLL_S = 0.02
RESTART_S = 0.2  # between an end and the next start, as a service manager does

SERVE, SERVE_ONLY, WORK = ("serve", "--port", "0"), ("serve", "--port", "0", "--no-work"), ("work",)
FLEETS = ((SERVE, SERVE), (SERVE_ONLY, SERVE_ONLY, WORK, WORK))


@dataclass
class _Place:
    """Where one process of the fleet runs, and the next one after it."""

    command: tuple[str, ...]
    process: Process | None = None
    said: str | None = None  # once it is ready
    stopped: bool = False  # by SIGSTOP

    @property
    def url(self) -> str | None:
        return self.said if self.said and self.said.startswith("http") and not self.stopped else None


@dataclass
class Fleet:
    """Several processes over one store."""

    starter: Starter
    commands: Sequence[tuple[str, ...]]
    chance: Random
    starts: int = 0
    exits: Counter[str] = field(default_factory=Counter)  # by exit code: what nobody asked for shows here
    _places: list[_Place] = field(default_factory=list)

    async def run(self) -> None:
        """Start all, and start anew whatever ends, until cancelled."""
        self._places = [_Place(command) for command in self.commands]
        try:
            async with asyncio.TaskGroup() as supervisors:
                for place in self._places:
                    supervisors.create_task(self._supervise(place))
        finally:
            for place in self._places:
                if place.process is not None:
                    place.process.signal(signal.SIGCONT)
                    place.process.kill()

    async def _supervise(self, place: _Place) -> None:
        while True:
            place.said, place.stopped = None, False
            place.process = process = self.starter.start(*place.command)
            self.starts += 1
            for _ in range(int(START_LIMIT_S / POLL_S)):
                place.said = process.said()
                if place.said or not process.alive:
                    break
                await asyncio.sleep(POLL_S)
            while process.alive:
                await asyncio.sleep(POLL_S)
            place.said = None
            self.exits[str(process.exit_code)] += 1
            await asyncio.sleep(RESTART_S)

    @property
    def ready(self) -> bool:
        """All are there and can answer."""
        return bool(self._places) and all(place.said and not place.stopped for place in self._places)

    def kill_one(self) -> None:
        """kill -9, whatever it is at; one that is stopped or still starting may be hit too."""
        if process := self.chance.choice(self._places).process:
            process.signal(signal.SIGKILL)

    async def pause_one(self, pause_s: float) -> None:
        """SIGSTOP for a while: it holds its sockets, leases and half-done work meanwhile."""
        place = self.chance.choice(self._places)
        if (process := place.process) is None:
            return
        place.stopped = True
        process.signal(signal.SIGSTOP)
        await asyncio.sleep(pause_s)
        process.signal(signal.SIGCONT)
        if place.process is process:
            place.stopped = False

    async def connect(self) -> Streams:
        """To a server that is ready, for the proxy that clients go through. Raises OSError where none is."""
        urls = [place.url for place in self._places if place.url]
        if not urls:
            raise ConnectionRefusedError("no server is ready")
        url = urlsplit(self.chance.choice(urls))
        return await asyncio.open_connection(url.hostname, url.port)

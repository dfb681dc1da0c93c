"""A job beside the server: what it is, how far it has come, and the thread that it runs on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Thread
from time import monotonic

from application.maintenance import Ending, Wisher
from projections.building import Progress

LIMIT_S = 3600.0  # of one job; what a rebuild has built is kept, and the next one goes on from there
_GOES_ON = "asked for again, a rebuild goes on from where it was"


class AlreadyRunning(Exception):
    """Another one has not ended yet."""


class Stopped(Exception):
    """It was told to stop, or its time is over."""


@dataclass
class Job:
    """What is being done, or was done last, in this process."""

    subject: str
    what: str
    by: Wisher
    progress: Progress | None = None
    ending: Ending | None = None
    stopped_by: Wisher | None = None
    closing: bool = False  # the process ends
    began_s: float = field(default_factory=monotonic)

    def told(self, progress: Progress) -> None:
        """Raises Stopped between two batches."""
        self.progress = progress
        if self.stopped_by is not None:
            raise Stopped(f"stopped by {self.stopped_by.actor}: {self.stopped_by.reason}; {_GOES_ON}")
        if self.closing:
            raise Stopped(f"the server was stopped; {_GOES_ON}")
        if monotonic() - self.began_s > LIMIT_S:
            raise Stopped(f"stopped after {LIMIT_S / 60:.0f} minutes; {_GOES_ON}")


async def on_daemon_thread(work: Callable[[], Ending], *, name: str) -> Ending:
    """A thread that does not keep the process alive: what it does may be killed at any time."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Ending] = loop.create_future()

    def run() -> None:
        ending = work()
        with suppress(RuntimeError):  # the loop has been closed: nobody waits any more
            loop.call_soon_threadsafe(lambda: None if done.done() else done.set_result(ending))

    Thread(target=run, name=name, daemon=True).start()
    return await done

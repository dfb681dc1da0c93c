"""A semaphore that is free most of the time, and waited for within a limit where it is not."""

from __future__ import annotations

import asyncio
from collections import deque


class Places:
    """A number of places, given in the order of arrival. Belongs to one event loop.

    A place that is free costs no look at who waits, as asyncio's own semaphore takes twice: whoever waits is handed
    the place that becomes free, so that none is free while somebody waits.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def all_taken(self) -> bool:
        """Whether the next one waits."""
        return not self._free

    async def take(self, timeout_s: float | None) -> None:
        """Take a place, to be released. Raises TimeoutError where none becomes free in time; None: without a limit."""
        if self._free:
            self._free -= 1
            return
        loop = asyncio.get_running_loop()
        handed = loop.create_future()
        self._waiting.append(handed)
        timer = None if timeout_s is None else loop.call_later(timeout_s, _give_up, handed)
        try:
            await handed
        except BaseException:
            if handed.done() and not handed.cancelled() and handed.exception() is None:  # handed over at that moment
                self.release()
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def release(self) -> None:
        """Hand the place to whoever has waited longest, or let it be free."""
        while self._waiting:
            handed = self._waiting.popleft()
            if not handed.done():
                handed.set_result(None)
                return
        self._free += 1


def _give_up(handed: asyncio.Future[None]) -> None:
    if not handed.done():
        handed.set_exception(TimeoutError())

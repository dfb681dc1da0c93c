"""Few orders begin at once, so that those under way go on first.

Until its intent is stored, an order needs little but this process's processor. Where many arrive together, all their
beginnings would be carried out before anything else: every one of them would wait for all the others, all would be
answered at the same moment, and come back together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from application.semaphores import Places

AT_ONCE: Final = 16
MAX_WAIT_S: Final = 0.25  # then an order begins all the same: a pace, and no limit that a slow database could exhaust


class Turn:
    """One order's beginning. To be ended; ending it again does nothing."""

    def __init__(self, end: Callable[[], None] | None) -> None:
        self._end = end

    def end(self) -> None:
        end, self._end = self._end, None
        if end is not None:
            end()


class Turns:
    """Gives turns in the order of arrival. Belongs to one event loop."""

    def __init__(self, at_once: int = AT_ONCE, max_wait_s: float = MAX_WAIT_S) -> None:
        self._free = Places(at_once)
        self._max_wait_s = max_wait_s

    async def take(self) -> Turn:
        """Wait for a turn, though not for long."""
        try:
            await self._free.take(self._max_wait_s)
        except TimeoutError:
            return Turn(None)
        return Turn(self._free.release)

"""An event loop on a virtual clock: waiting costs nothing, and a seed chooses who runs next.

Every callback belongs to the simulated process in whose context it was made. A dead process gets no turn any more: its
coroutines stay where they are, without cleanup. A frozen one gets its turns later.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, ContextVar, copy_context
from itertools import count
from random import Random
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

MAX_CLEANUPS = 5


class Mortal(Protocol):
    """What the loop has to know of a process."""

    dead: bool
    frozen_until_s: float


PROCESS: ContextVar[Mortal | None] = ContextVar("process", default=None)

_Entry = tuple[Callable[..., Any], tuple[Any, ...], Context]


class Timer:
    """Stands for a callback that is to come; asyncio may cancel it."""

    __slots__ = ("cancelled",)

    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class VirtualLoop(asyncio.AbstractEventLoop):
    """Runs tasks of asyncio. `seed` shuffles what is ready; None runs it in order."""

    def __init__(self, seed: str | None) -> None:
        self.now_s = 0.0
        self.steps = 0
        self._random = Random(seed).random if seed is not None else None
        self._ready: list[_Entry] = []
        self._later: list[tuple[float, int, Timer, _Entry]] = []
        self._order = count()
        self._tasks: list[asyncio.Task[Any]] = []

    # --- what asyncio asks of a loop ----------------------------------------------------------------------------------

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> Any:
        self._ready.append((callback, args, context if context is not None else copy_context()))

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> Any:
        return self.call_at(self.now_s + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> Any:
        timer = Timer()
        entry = (callback, args, context if context is not None else copy_context())
        heapq.heappush(self._later, (when, next(self._order), timer, entry))
        return timer

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: Context | None = None,
        **_: Any,
    ) -> asyncio.Task[T]:
        task: asyncio.Task[T] = asyncio.Task(coro, loop=self, name=name or "", context=context)
        self._tasks.append(task)
        return task

    def time(self) -> float:
        return self.now_s

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Tasks of dead processes are destroyed while they wait: that is what death is."""

    # --- the simulation -----------------------------------------------------------------------------------------------

    async def sleep(self, seconds: float) -> None:
        waiter: asyncio.Future[None] = asyncio.Future(loop=self)
        self.call_at(self.now_s + max(seconds, 0.0), _wake, waiter)
        await waiter

    def run(self, until_s: float, finished: Callable[[], bool]) -> None:
        """Take turns until nothing is left to do, the time is over, or `finished` says so at a change of the time."""
        asyncio._set_running_loop(self)
        try:
            while True:
                self._run_ready()
                if finished() or not self._later or self._later[0][0] > until_s:
                    return
                self.now_s = self._later[0][0]
                while self._later and self._later[0][0] <= self.now_s:
                    _, _, timer, entry = heapq.heappop(self._later)
                    if not timer.cancelled:
                        self._ready.append(entry)
        finally:
            asyncio._set_running_loop(None)

    def _run_ready(self) -> None:
        ready, pick = self._ready, self._random
        while ready:
            if pick is not None:
                chosen = int(pick() * len(ready))
                ready[chosen], ready[-1] = ready[-1], ready[chosen]
                callback, args, context = ready.pop()
            else:
                callback, args, context = ready.pop(0)
            process = context.get(PROCESS)
            if process is not None:
                if process.dead:
                    continue
                if process.frozen_until_s > self.now_s:
                    self.call_at(process.frozen_until_s, callback, *args, context=context)
                    continue
            self.steps += 1
            context.run(callback, *args)

    def throw_away(self) -> None:
        """Forget everything that was still to come. Where a coroutine wants to clean up, it is not let."""
        for task in self._tasks:
            coroutine = task.get_coro()
            for _ in range(MAX_CLEANUPS):
                try:
                    coroutine.close()
                    break
                except RuntimeError:  # it waits for something in its cleanup
                    continue
        self._tasks.clear()
        self._ready.clear()
        self._later.clear()


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def context_of(process: Mortal | None) -> Context:
    """A context whose callbacks belong to the process."""
    context = copy_context()
    context.run(PROCESS.set, process)
    return context

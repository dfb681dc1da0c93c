"""Processes that are forked from one that has imported everything: real ones, ready in a fraction of a second."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

from tests.chaos.launcher import CrashPoint, Launch, launch

START_LIMIT_S = 30.0
END_LIMIT_S = 10.0
POLL_S = 0.01
_READY = re.compile(r"orders: serving on (http://\S+)|orders: (working)|vendors: (\S+ \S+)")


@cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    forkserver.set_forkserver_preload(["tests.chaos.launcher", "tests.chaos.vendors"])
    return context


def prepare() -> None:
    """Begin with the imports, beside whatever else has to be made ready."""
    _context()
    forkserver.ensure_running()


class Process:
    """One process that says in its log when it is ready."""

    def __init__(self, target: Callable[..., None], arguments: tuple[Any, ...], log: Path) -> None:
        self.log = log
        self._process = _context().Process(target=target, args=(*arguments, log), daemon=True)
        self._process.start()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    @property
    def exit_code(self) -> int | None:
        """Negative: ended by that signal."""
        return self._process.exitcode

    def said(self) -> str | None:
        """What it said when it became ready: a URL, or `working`; None before."""
        with suppress(FileNotFoundError):
            if found := _READY.search(self.log.read_text(errors="replace")):
                return next(group for group in found.groups() if group)
        return None

    def wait_until_ready(self) -> str:
        deadline = time.monotonic() + START_LIMIT_S
        while (said := self.said()) is None:
            assert self.alive, f"the process ended with {self.exit_code}: {self.log.read_text()[-2000:]}"
            assert time.monotonic() < deadline, "the process did not become ready in time"
            time.sleep(POLL_S)
        return said

    def signal(self, number: signal.Signals) -> None:
        if self.alive:  # not reaped yet, so the id is still its own
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.wait()

    def wait(self, limit_s: float = END_LIMIT_S) -> int:
        """The exit code, once it has ended."""
        self._process.join(limit_s)
        code = self.exit_code
        assert code is not None, "the process did not end in time"
        return code


@dataclass(frozen=True)
class Starter:
    """Starts processes of the product over one store; their logs go to a folder."""

    launch: Launch
    folder: Path

    def start(self, *arguments: str, crash: CrashPoint | None = None, name: str | None = None) -> Process:
        number = sum(1 for _ in self.folder.glob("*.log")) + 1
        log = self.folder / f"{number:03}-{name or arguments[0]}.log"
        wanted = replace(self.launch, arguments=arguments, crash=crash)
        return Process(launch, (wanted,), log)

    @contextmanager
    def running(self, *arguments: str, crash: CrashPoint | None = None) -> Iterator[tuple[Process, str]]:
        """A process and what it said when it was ready, while the block lasts."""
        process = self.start(*arguments, crash=crash)
        try:
            yield process, process.wait_until_ready()
        finally:
            process.kill()

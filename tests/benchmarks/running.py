"""Processes of the benchmark: started, found ready, measured and stopped."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Final

import psutil

START_S: Final = 60.0
STOP_S: Final = 15.0
SETTLE_S: Final = 10.0
QUIET_SHARE: Final = 0.06  # of one processor: a server that only polls
_URL: Final = re.compile(r" on (http://\S+)")


class DidNotStart(Exception):
    """The process ended, or said nothing within the time; the text has the end of its log."""


@dataclass(frozen=True)
class Tree:
    """A process with its children, those that have ended included."""

    pid: int

    def cpu_s(self, part: str = "") -> float:
        """Processor time of all of them so far, in user and system mode; `part`: of those whose command has it."""
        total = 0.0
        for process in self._processes():
            try:
                if part and not any(part in word for word in process.cmdline()):
                    continue
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system + times.children_user + times.children_system
        return total

    def rss_mb(self) -> float:
        """Memory in use by all of them, shared pages counted in each."""
        return float(sum(process.memory_info().rss for process in self._processes())) / 2**20

    def _processes(self) -> list[psutil.Process]:
        root = psutil.Process(self.pid)
        return [root, *root.children(recursive=True)]


@dataclass(frozen=True)
class Server:
    """A running server, and the seconds that it took until it said so."""

    url: str
    tree: Tree
    started_in_s: float


@contextmanager
def server(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator[Server]:
    """Start a command that prints its URL when it is ready; stop it at the end. Raises DidNotStart."""
    with log.open("ab") as errors:
        begun = time.monotonic()
        process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        try:
            url = _ready(process, log)
            yield Server(url, Tree(process.pid), time.monotonic() - begun)
        finally:
            _stop(process)


def python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def _ready(process: subprocess.Popen[str], log: Path) -> str:
    assert process.stdout is not None
    limit = Timer(START_S, process.kill)
    limit.start()
    try:
        for line in process.stdout:
            if found := _URL.search(line):
                return found[1]
    finally:
        limit.cancel()
    raise DidNotStart(f"{' '.join(process.args)}\n{log.read_text()[-2000:]}")  # type: ignore[arg-type]


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
        process.wait()
    assert process.stdout is not None
    process.stdout.close()


def settle(*trees: Tree) -> None:
    """Wait until the processes only poll: what they still do belongs to the load that went before."""
    deadline = time.monotonic() + SETTLE_S
    step_s = 0.15
    before = sum(tree.cpu_s() for tree in trees)
    while time.monotonic() < deadline:
        time.sleep(step_s)
        now = sum(tree.cpu_s() for tree in trees)
        if now - before <= QUIET_SHARE * step_s + 0.01:  # the kernel counts in steps of 10 ms
            return
        before = now

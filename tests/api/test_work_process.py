"""The background work runs beside the server: it comes back when it dies, and goes when the server does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.end_to_end.world import eventually

WITHIN_S = 20.0


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[psutil.Process]:
    """`orders serve`, ready."""
    env = {**os.environ, "ORDERS_DATABASE_URL": f"sqlite:///{folder}/orders.db"}
    command = [sys.executable, "-c", "from api.cli import main; main()", "serve", "--port", "0", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, env=env, text=True, **pipes) as process:  # type: ignore[call-overload]
        try:
            assert process.stdout.readline().startswith("orders: serving on")
            yield psutil.Process(process.pid)
        finally:
            process.kill()


def test_the_background_work_is_started_again_when_it_dies_and_goes_when_the_server_is_killed(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        (first,) = server.children()

        first.kill()
        eventually(lambda: [child.pid for child in server.children()] not in ([], [first.pid]), WITHIN_S)
        (second,) = server.children()
        server.send_signal(signal.SIGKILL)

        eventually(lambda: not second.is_running() or second.status() == psutil.STATUS_ZOMBIE, WITHIN_S)


def test_a_server_without_background_work_starts_none(tmp_path: Path) -> None:
    with serving(tmp_path, "--no-work") as server:
        assert server.children() == []

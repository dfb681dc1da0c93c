"""The background work beside a server, in a process of its own.

Python runs one thread at a time: in the server's process, projections would take turns with the orders. The two share
nothing but the databases and a pipe: a byte in it says that there are new events, its end that the server is gone.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

import uvloop

from api.bootstrap import Service
from api.garbage import spare_what_stays
from api.logs import configure_logging
from api.settings import Settings, load_settings

log = logging.getLogger(__name__)

# -P: what lies in the folder that the server was started in is not ours to import.
COMMAND: Sequence[str] = (sys.executable, "-P", "-c", "from api.work_process import main; main()")
SIGNAL_PAUSE_S = 0.04  # one byte for all events of a moment
RESTART_PAUSES_S = (0.2, 1.0, 5.0)
STOP_S = 20.0  # what is under way may end well
NICE = 5  # where processor time is short, orders go first
READY = b"ready\n"
STDIN, STDOUT = 0, 1


class WorkProcess:
    """Starts the process, keeps it running, and stops it. `wake` belongs to the server's event loop."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._ready = threading.Event()
        self._pipe = threading.Lock()  # a byte must never meet a descriptor that has been closed and taken again
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper = threading.Thread(target=self._keep, name="work-process", daemon=True)
        self._signalled = False

    def start(self) -> None:
        self._process = start_process()
        self._keeper.start()

    def wait_until_ready(self, timeout_s: float) -> None:
        """Until the background work has begun for the first time, or the time is up."""
        self._ready.wait(timeout_s)

    def wake(self) -> None:
        """There are new events."""
        if not self._signalled:
            self._signalled = True
            asyncio.get_running_loop().call_later(SIGNAL_PAUSE_S, self._signal)

    def stop(self) -> None:
        """Let it end what is under way, for a limited time."""
        self._stopping.set()
        self._end_input()
        self._keeper.join(STOP_S)
        if self._keeper.is_alive() and self._process is not None:
            self._process.kill()
            self._keeper.join(STOP_S)

    def _signal(self) -> None:
        self._signalled = False
        with self._pipe:
            process = self._process
            if process is not None and process.stdin is not None and not process.stdin.closed:
                with suppress(OSError):  # full: it will look anyway; broken: it is being started again
                    os.write(process.stdin.fileno(), b"\n")

    def _end_input(self) -> None:
        with self._pipe:
            if self._process is not None and self._process.stdin is not None:
                with suppress(OSError):
                    self._process.stdin.close()

    # --- on a thread --------------------------------------------------------------------------------------------------

    def _keep(self) -> None:
        """Start it again whenever it ends; the longer after the more often it has ended."""
        ended = 0
        while True:
            code = self._run_to_its_end()
            if self._stopping.wait(RESTART_PAUSES_S[min(ended, len(RESTART_PAUSES_S) - 1)]):
                return
            log.error("the background work ended with %d and is started again", code)
            ended += 1
            with suppress(OSError):  # no memory, no processes left: tried again after the next pause
                self._process = start_process()
            if self._stopping.is_set():
                self._end_input()

    def _run_to_its_end(self) -> int:
        process = self._process
        assert process is not None
        assert process.stdout is not None
        if not process.stdout.closed and process.stdout.read(len(READY)) == READY:
            self._ready.set()
        code = process.wait()
        self._end_input()
        process.stdout.close()
        return code


def start_process() -> subprocess.Popen[bytes]:
    """Run `main` in a new process, with a pipe to its stdin that never blocks and one from its stdout."""
    process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603  # our own
    assert process.stdin is not None
    os.set_blocking(process.stdin.fileno(), False)
    return process


# --- in the process itself --------------------------------------------------------------------------------------------


def main() -> None:
    """Do the background work until the server's end of the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches both processes; the server says when to stop
    os.nice(NICE)
    settings = load_settings()
    configure_logging(settings)
    uvloop.run(_work(settings))


async def _work(settings: Settings) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    service = Service(settings)
    loop.add_reader(STDIN, _heard, service.wake, stopped)
    service.start_work()
    spare_what_stays()
    try:
        os.write(STDOUT, READY)
        await stopped.wait()
    finally:
        loop.remove_reader(STDIN)
        await service.close()


def _heard(wake: Callable[[], None], stopped: asyncio.Event) -> None:
    if os.read(STDIN, 65536):
        wake()
    else:
        stopped.set()

"""One process of the product: the real `orders` command, with limits shortened that have no setting.

The imports are made once, in the process that all others are forked from: see `processes.py`.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import wraps
from itertools import count
from pathlib import Path
from typing import Any

import httptools  # noqa: F401  # here and below: whatever a server would import only when it starts
import uvicorn.lifespan.on
import uvicorn.protocols.http.httptools_impl  # noqa: F401
import uvloop  # noqa: F401

import api.app
import api.serving
import api.startup  # noqa: F401
from api import bootstrap, cli, work_process
from api.settings import PREFIX, Settings
from application import outbox
from application.adapters.authorizenet.gateway import AuthorizeNetGateway
from application.adapters.mandrill import MandrillMailer
from application.adapters.recorders import PostgresRecorder, SqliteRecorder
from application.work import growing
from domain.policy import Policy
from projections import open_work

LONGEST_PAUSE_S = 1.0  # between two looks at the same work, where the product waits up to an hour
LONGEST_EMAIL_TRY_S = 4.0  # after which an outbox that died is taken for dead, where the product waits 120 s
_PR_SET_PDEATHSIG = 1

# What a process does that the world can see: the calls before and after which it may die.
CALLS: dict[str, tuple[tuple[type, str], ...]] = {
    "insert": ((PostgresRecorder, "insert"), (SqliteRecorder, "insert")),
    "charge": ((AuthorizeNetGateway, "charge"),),
    "mail": ((MandrillMailer, "send"),),
}


@dataclass(frozen=True)
class CrashPoint:
    """Where the process kills itself: right before or right after the n-th call of a kind."""

    call: str  # insert | charge | mail
    number: int  # from 1
    when: str  # before | after

    def __str__(self) -> str:
        return f"{self.when} {self.call} {self.number}"


@dataclass(frozen=True)
class Launch:
    """How to run `orders` in a process of its own."""

    arguments: tuple[str, ...]
    environ: Mapping[str, str]  # the only ORDERS_ variables it sees, but for the folder of the seals
    policy: Mapping[str, float]  # limits of the money path that have no setting, by their names in Policy
    crash: CrashPoint | None = None


def launch(wanted: Launch, log: Path) -> None:
    """Become that process. Ends by SystemExit, or not at all."""
    detach(log)
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    os.environ.update({f"{PREFIX}SEALS_PATH": str(log.parent / "seals"), **wanted.environ})
    _shorten(wanted.policy)
    if wanted.crash is not None:
        _die_at(wanted.crash)
    sys.argv = ["orders", *wanted.arguments]
    cli.main()


def detach(log: Path) -> None:
    """Write to a file, and end with the process that we were forked from, so that a killed run leaves nothing."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    with suppress(AttributeError):  # Linux only
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _shorten(policy: Mapping[str, float]) -> None:
    original = bootstrap.policy_of

    def shorter_policy(settings: Settings) -> Policy:
        return replace(original(settings), **policy)  # type: ignore[arg-type]

    def hasty(tries: int, first_s: float, longest_s: float) -> float:
        return min(growing(tries, first_s, longest_s), LONGEST_PAUSE_S)

    bootstrap.policy_of = shorter_policy
    work_process.start_process = ForkedWork  # type: ignore[assignment]  # a fork keeps the shortened limits
    open_work.OWN_TRY_S = LONGEST_PAUSE_S
    outbox.FIRST_PAUSE_S = LONGEST_PAUSE_S
    outbox.LONGEST_TRY_S = LONGEST_EMAIL_TRY_S
    for name in ("work", "recovery", "corrections", "outbox"):
        importlib.import_module(f"application.{name}").growing = hasty  # type: ignore[attr-defined]


class ForkedWork:
    """The background work of a server, as `subprocess.Popen` would show it."""

    def __init__(self) -> None:
        ours, theirs = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            with suppress(AttributeError):  # Linux only
                ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            os.dup2(ours[0], 0)
            os.dup2(theirs[1], 1)
            for end in (*ours, *theirs):
                os.close(end)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            work_process.main()
            os._exit(0)
        os.close(ours[0])
        os.close(theirs[1])
        os.set_blocking(ours[1], False)
        self.stdin, self.stdout = os.fdopen(ours[1], "wb", 0), os.fdopen(theirs[0], "rb", 0)

    def wait(self, timeout: float | None = None) -> int:
        with suppress(ChildProcessError):
            return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return 0

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)


def _die_at(point: CrashPoint) -> None:
    calls = count(1)
    for owner, name in CALLS[point.call]:
        setattr(owner, name, _dying(getattr(owner, name), point, lambda: next(calls)))


def _dying(original: Callable[..., Any], point: CrashPoint, number: Callable[[], int]) -> Callable[..., Any]:
    @wraps(original)
    async def call(*arguments: Any, **named: Any) -> Any:
        here = number() == point.number
        if here and point.when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = await original(*arguments, **named)
        if here:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return call

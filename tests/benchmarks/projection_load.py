"""What a rebuild costs the orders that come in meanwhile: the time of each commit, without it and with it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from itertools import count
from pathlib import Path
from time import perf_counter

from application.adapters.recorders import open_recorder
from application.event_log import Recorder
from application.stored_events import CODEC
from tests.projections.histories import Wish, order_events

ORDERS_PER_S = 25
QUIET_S = 8.0
NUMBERS = count(50_000_000)


def under_load(url: str) -> dict[str, float]:
    """Milliseconds of a commit at the 99th percentile: quiet, and while all read models are rebuilt."""
    return asyncio.run(_under_load(url))


async def _under_load(url: str) -> dict[str, float]:
    recorder = open_recorder(url)
    try:
        quiet = await _commits(recorder, lambda began_s: perf_counter() - began_s < QUIET_S)
        code = "from api.cli import main; main()"
        environ = {"ORDERS_DATABASE_URL": url, "PATH": "/usr/bin:/bin", "ORDERS_LOG_LEVEL": "error"}
        rebuild = subprocess.Popen(
            [sys.executable, "-c", code, "projections", "rebuild", "--all"],
            env=environ, cwd=Path.cwd(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        busy = await _commits(recorder, lambda _: rebuild.poll() is None)
    finally:
        await recorder.close()
    return {
        "commits": float(len(busy)),
        "quiet_p99_ms": _p99(quiet),
        "rebuild_p99_ms": _p99(busy),
        "rebuild_max_ms": max(busy) * 1000,
        "exit_code": float(rebuild.returncode),
    }


async def _commits(recorder: Recorder, goes_on: object) -> list[float]:
    """Each order's commits, at a steady pace, whatever the earlier ones take."""
    began_s, taken, tasks = perf_counter(), list[float](), list[asyncio.Task[None]]()

    async def order(number: int) -> None:
        for event in order_events(number, Wish()):
            sent_s = perf_counter()
            await recorder.insert([CODEC.encode(event)])
            taken.append(perf_counter() - sent_s)

    while goes_on(began_s):  # type: ignore[operator]
        tasks.append(asyncio.create_task(order(next(NUMBERS))))
        await asyncio.sleep(1 / ORDERS_PER_S)
    await asyncio.gather(*tasks)
    return taken


def _p99(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.99)] * 1000

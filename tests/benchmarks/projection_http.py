"""`python -m tests.benchmarks.projection_http`: what a rebuild costs people who order and read at the same time.

The real server under a steady load of orders over HTTP, and readers beside them: quiet first, then while every read
model is rebuilt and one is rolled back, by the real commands. Exit code 1 where an order or a read failed, a rebuild
did not switch, or a target of `LIMITS_MS` was missed on PostgreSQL.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import ExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console

from tests.benchmarks.example import PATH, USERS, body_of
from tests.benchmarks.places import POSTGRESQL, SQLITE, place, vendors
from tests.benchmarks.projection_log import filled
from tests.benchmarks.targets import ORDERS_COMMAND, environment_of, prepared, product
from tests.benchmarks.wire import Pool, post_head, posted

LIMITS_MS = {"added_p99_ms": 50.0, "switch_ms": 50.0}
ORDERS_PER_S = 10
READS_PER_S = 20
QUIET_S = 12.0
_HEAD = post_head(PATH, "application/json")
_READ = (
    b"GET /api/v1/orders?limit=20 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer session-%d-example-token\r\n\r\n"
)


@dataclass
class Seen:
    """What clients saw during one phase. Times in milliseconds."""

    orders_ms: list[float] = field(default_factory=list)
    reads_ms: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Found:
    """One database. `added_p99_ms`: how much longer the slowest hundredth of the orders took during the rebuild."""

    database: str
    orders: int
    reads: int
    failed: list[str]
    quiet_p99_ms: float
    rebuild_p99_ms: float
    added_p99_ms: float
    switch_ms: float
    exit_codes: list[int]

    @property
    def fine(self) -> bool:
        met = self.database == SQLITE or all(getattr(self, name) < limit for name, limit in LIMITS_MS.items())
        return met and not self.failed and not any(self.exit_codes)


class Clients:
    """Order and read at a steady pace, whatever the earlier ones take."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._pool = Pool(address.hostname or "", address.port or 0)
        self._numbers = count(USERS * 2)

    async def order(self, seen: Seen) -> None:
        await self._timed(posted(_HEAD, body_of(next(self._numbers))), seen.orders_ms, seen)

    async def read(self, seen: Seen) -> None:
        await self._timed(_READ % (next(self._numbers) % USERS), seen.reads_ms, seen)

    async def _timed(self, request: bytes, times_ms: list[float], seen: Seen) -> None:
        began_s = perf_counter()
        try:
            answer = await self._pool.exchange(request)
        except OSError as error:
            seen.failed.append(type(error).__name__)
            return
        times_ms.append((perf_counter() - began_s) * 1000)
        if answer.status != 200:
            seen.failed.append(f"{answer.status} {answer.body[:120]!r}")

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[Seen]:
        """While the block lasts; every answer is waited for."""
        seen = Seen()
        paces = [
            asyncio.create_task(_steadily(self.order, seen, ORDERS_PER_S)),
            asyncio.create_task(_steadily(self.read, seen, READS_PER_S)),
        ]
        try:
            yield seen
        finally:
            for pace in paces:
                pace.cancel()
            await asyncio.gather(*paces, return_exceptions=True)

    def close(self) -> None:
        self._pool.close()


async def _steadily(send: Callable[[Seen], Coroutine[Any, Any, None]], seen: Seen, per_s: float) -> None:
    tasks: set[asyncio.Task[None]] = set()
    try:
        while True:
            tasks.add(asyncio.create_task(send(seen)))
            await asyncio.sleep(1 / per_s)
    finally:
        await asyncio.gather(*tasks)


async def command(environment: dict[str, str], *arguments: str) -> tuple[int, dict[str, Any]]:
    """`orders projections ...` in a process of its own: exit code and result."""
    process = await asyncio.create_subprocess_exec(
        *ORDERS_COMMAND, "projections", *arguments, "--json",
        env=os.environ | environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    out, _ = await process.communicate()
    return process.returncode or 0, json.loads(out or b"{}")


async def caught_up(environment: dict[str, str]) -> None:
    """Until the server has followed the log that it found."""
    async with asyncio.timeout(300):
        while True:
            _, status = await command(environment, "status")
            if status.get("head") and all(one["lag_events"] < 100 for one in status["projections"]):
                return
            await asyncio.sleep(1)


async def measured(kind: str, url: str, environment: dict[str, str]) -> Found:
    await caught_up(environment)
    clients = Clients(url)
    try:
        async with clients.at_work():  # warm-up
            await asyncio.sleep(QUIET_S / 3)
        async with clients.at_work() as quiet:
            await asyncio.sleep(QUIET_S)
        async with clients.at_work() as busy:
            rebuilt, result = await command(environment, "rebuild", "--all")
            rolled_back, _ = await command(environment, "rollback", "orders")
    finally:
        clients.close()
    switches_ms = [one["switch_ms"] or 0.0 for one in result.get("projections", [])]
    before, during = _p99(quiet.orders_ms), _p99(busy.orders_ms)
    return Found(
        kind,
        len(busy.orders_ms),
        len(busy.reads_ms),
        quiet.failed + busy.failed,
        before,
        during,
        during - before,
        max(switches_ms, default=0.0),
        [rebuilt, rolled_back],
    )


def _p99(times_ms: list[float]) -> float:
    return sorted(times_ms)[int(len(times_ms) * 0.99)]


def measure(kind: str, events: int) -> Found:
    with ExitStack() as stack:
        where = stack.enter_context(place(kind))
        stubs = stack.enter_context(vendors(where.folder))
        database_url = prepared(where)
        filled(database_url, events)
        environment = dict(environment_of(database_url, stubs.url)) | {"ORDERS_LOG_LEVEL": "error"}
        server = stack.enter_context(product(where, stubs.url, database_url=database_url))
        return asyncio.run(measured(kind, server.url, environment))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.projection_http")
    parser.add_argument("--events", type=int, default=50_000, help="in the log before the first order")
    parser.add_argument("--database", choices=(SQLITE, POSTGRESQL), action="append")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    found = [measure(kind, options.events) for kind in options.database or (SQLITE, POSTGRESQL)]
    for one in found:
        Console().print(asdict(one) | {"fine": one.fine})
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in found], indent=2))
    sys.exit(0 if all(one.fine for one in found) else 1)


if __name__ == "__main__":
    main()

"""PostgreSQL over a network: the product's recorder beside a hand-written client with the same statements.

A proxy in a process of its own adds a delay each way. Both clients have as many connections; the hand-written one uses
one per call and groups nothing.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from statistics import median
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import asyncpg
import msgspec
import uvloop
from eventsourcing.persistence import StoredEvent

from application.adapters.recorders.migrations import migrate
from application.adapters.recorders.postgresql import PostgresRecorder
from application.adapters.recorders.postgresql_writer import EVERYTHING, INSERT, SELECT
from tests.benchmarks.places import POSTGRESQL, place
from tests.benchmarks.report import progress, show
from tests.benchmarks.running import python, server

CONNECTIONS: Final = 8  # the recorder's default
STATE: Final = b"x" * 300
TOPIC: Final = "order.payment-attempted.v1"
TELLS: Final = False  # the hand-written client notifies nobody, which is cheaper

Step = Callable[[], Awaitable[object]]


class Proxied(msgspec.Struct, frozen=True):
    """Calls per second; `ratio` is the median of the rounds' ratios of recorder to hand-written client."""

    what: str
    concurrency: int
    recorder_per_s: float
    hand_written_per_s: float
    ratio: float


def run(delay_ms: float, concurrency: Sequence[int], rounds: int, seconds: float) -> list[Proxied]:
    """Reads of three streams, inserts of five events, and both in the order that an order has them."""
    with ExitStack() as stack:
        where = stack.enter_context(place(POSTGRESQL))
        url = where.new()
        asyncio.run(migrate(url))
        parts = urlsplit(url)
        socket = f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.{parts.port or 5432}"
        command = python("tests.benchmarks.proxy", socket, str(delay_ms))
        proxy = stack.enter_context(server(command, {}, where.folder / "proxy.log"))
        distant = f"postgresql://{parts.username}:@127.0.0.1:{urlsplit(proxy.url).port}{parts.path}"
        found = uvloop.run(_compare(distant, concurrency, rounds, seconds))
    columns = ["what", "clients", "recorder calls/s", "hand-written calls/s", "recorder at"]
    rows = [
        [one.what, one.concurrency, one.recorder_per_s, one.hand_written_per_s, f"{one.ratio:.2f}"] for one in found
    ]
    show(f"PostgreSQL behind {delay_ms} ms each way, {CONNECTIONS} connections", columns, rows)
    return found


async def _compare(url: str, concurrency: Sequence[int], rounds: int, seconds: float) -> list[Proxied]:
    recorder = PostgresRecorder(url, max_connections=CONNECTIONS)
    pool = await asyncpg.create_pool(url, min_size=CONNECTIONS, max_size=CONNECTIONS, reset=_keep)
    known = [uuid4() for _ in range(3)]
    await recorder.insert([_event(stream) for stream in known])
    pairs: dict[str, tuple[Step, Step]] = {
        "read": (lambda: recorder.select(known), lambda: _select(pool, known)),
        "insert": (lambda: recorder.insert(_events(5)), lambda: _insert(pool, _events(5))),
        "order": (lambda: _order(recorder.select, recorder.insert), lambda: _order_by_hand(pool)),
    }
    found = []
    try:
        for what, (ours, by_hand) in pairs.items():
            for clients in concurrency:
                turns = [
                    (await _rate(ours, clients, seconds), await _rate(by_hand, clients, seconds)) for _ in range(rounds)
                ]
                own, other = (median(turn[side] for turn in turns) for side in (0, 1))
                found.append(Proxied(what, clients, own, other, median(a / b for a, b in turns)))
                progress.print(f"{what}, {clients} clients: {found[-1].ratio:.2f}")
    finally:
        await recorder.close()
        await pool.close()
    return found


async def _rate(step: Step, clients: int, seconds: float) -> float:
    """Completed calls per second with so many callers at once, after a first call of each."""
    done, ends_s = 0, 0.0

    async def work() -> None:
        nonlocal done
        while time.perf_counter() < ends_s:
            await step()
            done += 1

    await asyncio.gather(*(step() for _ in range(clients)))
    begun_s = time.perf_counter()
    ends_s = begun_s + seconds
    await asyncio.gather(*(work() for _ in range(clients)))
    return done / (time.perf_counter() - begun_s)


async def _order(select: Callable[[Sequence[UUID]], Awaitable[object]], insert: Callable[..., Awaitable[int]]) -> None:
    """What one order asks of the log."""
    await select([uuid4(), uuid4(), uuid4()])
    for number in (5, 4, 1):
        await insert(_events(number))


async def _order_by_hand(pool: Any) -> None:
    async def select(streams: Sequence[UUID]) -> object:
        return await _select(pool, streams)

    async def insert(events: Sequence[StoredEvent]) -> int:
        return await _insert(pool, events)

    await _order(select, insert)


async def _select(pool: Any, streams: Sequence[UUID]) -> object:
    async with pool.acquire() as connection:
        return await connection.fetch(SELECT, list(streams), EVERYTHING)


async def _insert(pool: Any, events: Sequence[StoredEvent]) -> int:
    columns = [[getattr(event, name) for event in events] for name in ("originator_id", "originator_version")]
    texts = [event.topic for event in events]
    states = [event.state for event in events]
    async with pool.acquire() as connection:
        positions: list[int] = await connection.fetchval(INSERT, [len(events)], *columns, texts, states, TELLS)
        return positions[-1]


def _events(number: int) -> list[StoredEvent]:
    stream = UUID(bytes=os.urandom(16))
    return [_event(stream, version) for version in range(1, number + 1)]


def _event(stream: UUID, version: int = 1) -> StoredEvent:
    return StoredEvent(stream, version, TOPIC, STATE)


async def _keep(_connection: Any) -> None:
    """A session is not reset between two calls, as the recorder's are not."""

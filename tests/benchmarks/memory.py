"""The server's memory over many orders: it must come to rest, however many there are."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec

from tests.benchmarks.load import Job, client
from tests.benchmarks.places import place, vendors
from tests.benchmarks.report import progress, show
from tests.benchmarks.running import settle
from tests.benchmarks.targets import product

CLIENTS: Final = 32
STEPS: Final = 20
LIMIT_S: Final = 3_600.0  # per step


class Memory(msgspec.Struct, frozen=True):
    """Resident memory after each step; `later_growth_mb` is what the second half added."""

    database: str
    orders: list[int]
    rss_mb: list[float]
    not_ok: int
    later_growth_mb: float


def run(databases: Sequence[str], orders: int, folder: Path | None) -> list[Memory]:
    found = [_measure(kind, orders, folder) for kind in databases]
    for memory in found:
        rows = [[f"{number:,}", mb] for number, mb in zip(memory.orders, memory.rss_mb, strict=True)]
        growth = f"{memory.later_growth_mb:+.1f} MB in the second half"
        show(f"memory: {memory.database}, {CLIENTS} clients, {growth}", ["after orders", "RSS MB"], rows)
    return found


def _measure(kind: str, orders: int, folder: Path | None) -> Memory:
    step = max(1, orders // STEPS)
    sent, not_ok = 0, 0
    taken: list[int] = []
    rss_mb: list[float] = []
    with ExitStack() as stack:
        where = stack.enter_context(place(kind, folder))
        stubs, sender = stack.enter_context(vendors(where.folder)), stack.enter_context(client())
        server = stack.enter_context(product(where, stubs.url))
        while sent < orders:
            result = sender.run(Job(server.url, CLIENTS, sent, LIMIT_S, step))
            assert result.sent, "the server takes no orders"
            sent, not_ok = sent + result.sent, not_ok + result.sent - result.ok
            settle(server.tree)
            taken.append(sent)
            rss_mb.append(server.tree.rss_mb())
            progress.print(f"{kind}: {sent:,} orders, {rss_mb[-1]:.0f} MB")
    return Memory(kind, taken, rss_mb, not_ok, rss_mb[-1] - rss_mb[len(rss_mb) // 2])

"""`python -m tests.benchmarks.projection_live`: what the live projector costs the process that serves orders.

The log is what a stream of orders leaves: each makes its commits in three different rounds of the projector. Prints the
processor time of the projector's thread per event and per order, with as many orders per round as the load brings
together; `alone` is a quiet time, where every commit is a round of its own. Linux, macOS.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any

from rich.console import Console
from rich.table import Table

from api.read_models import ReadModels
from api.settings import Settings
from domain.duplicate_window import DuplicateWindow
from domain.policy import Policy
from projections import following
from tests.benchmarks.projection_log import MIX, written
from tests.benchmarks.projections import database
from tests.projections.histories import order_events, promotion_events

ALONE = 0
WARM_UP = 5  # rounds that only fill caches
Commit = list[Any]


@dataclass(frozen=True)
class Cost:
    """Of one stream of orders. Microseconds of processor time of the projector's thread; wall time for comparison."""

    database: str
    orders_per_round: int
    events: int
    us_per_event: float
    us_per_order: float
    wall_us_per_order: float


def commits_of(number: int) -> list[Commit]:
    """The events of an order, commit by commit."""
    found: list[Commit] = [[]]
    for event in order_events(number, MIX[number % len(MIX)]):
        found[-1].append(event)
        if isinstance(event, DuplicateWindow.Opened | DuplicateWindow.Closed):
            found.append([])
    return [commit for commit in found if commit]


def rounds(orders: int, together: int) -> Iterator[Commit]:
    """The events of each round: the first commits of some orders, the second ones of those before, and so on."""
    if together == ALONE:
        yield from (commit for number in range(1, orders + 1) for commit in commits_of(number))
        return
    groups = [range(first, min(first + together, orders + 1)) for first in range(1, orders + 1, together)]
    waiting: list[list[Commit]] = []
    for group in groups:
        waiting = [commits for commits in waiting if commits] + [commits_of(number) for number in group]
        yield [event for commits in waiting for event in commits.pop(0)]
    while waiting := [commits for commits in waiting if commits]:
        yield [event for commits in waiting for event in commits.pop(0)]


def follow(url: str, sizes: Sequence[int], orders: int) -> tuple[float, float]:
    """Follow the log round by round on this thread; processor and wall microseconds per order, after a warm-up."""
    parts = ReadModels(Settings(database_url=url), Policy(), "benchmark")
    try:
        for size in sizes[:WARM_UP]:
            following.FRONT = size
            assert parts.following.round() == size
        began_s, cpu_s = perf_counter(), thread_time()
        for size in sizes[WARM_UP:]:
            following.FRONT = size
            assert parts.following.round() == size
        cpu_s, wall_s = thread_time() - cpu_s, perf_counter() - began_s
    finally:
        asyncio.run(parts.close())
    share = orders * sum(sizes[WARM_UP:]) / sum(sizes)
    return cpu_s / share * 1e6, wall_s / share * 1e6


def measure(kind: str, orders: int, together: int) -> Cost:
    """On a new database."""
    batches = [promotion_events(), *rounds(orders, together)]
    sizes = [len(batch) for batch in batches]
    with database(kind) as url:
        written(url, (event for batch in batches for event in batch))
        cpu_us, wall_us = follow(url, sizes, orders)
    events = sum(sizes)
    return Cost(kind, together, events, cpu_us * orders / events, cpu_us, wall_us)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.projection_live")
    parser.add_argument("--orders", type=int, default=800)
    parser.add_argument("--together", type=lambda text: [int(n) for n in text.split(",")], default=[ALONE, 1, 10, 40])
    parser.add_argument("--database", choices=("sqlite", "postgresql"), action="append")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    shown = Table("database", "orders per round", "events", "µs CPU per event", "µs CPU per order", "µs wall per order")
    costs: list[Cost] = []
    for kind in options.database or ("sqlite", "postgresql"):
        for together in options.together:
            sys.stderr.write(f"{kind}, {together or 'alone'}\n")
            costs.append(cost := measure(kind, options.orders, together))
            figures = (cost.us_per_event, cost.us_per_order, cost.wall_us_per_order)
            shown.add_row(kind, str(together or "alone"), str(cost.events), *(f"{figure:,.0f}" for figure in figures))
    Console().print(shown)
    if options.json:
        options.json.write_text(json.dumps([asdict(cost) for cost in costs], indent=2))


if __name__ == "__main__":
    main()

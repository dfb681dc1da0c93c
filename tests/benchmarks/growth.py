"""What a large log costs: the same load on a small and on a large one, taking turns; and how long a start takes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Final

import msgspec

from api.seals import SealedLog
from api.settings import Settings
from application.adapters.key_store import placed
from application.adapters.person_index import state
from application.adapters.sql import make_engine
from tests.benchmarks.example import USERS
from tests.benchmarks.filling import fill, stored_events
from tests.benchmarks.load import Client, Job, client
from tests.benchmarks.matrix import Running, Sample
from tests.benchmarks.places import Place, place, vendors
from tests.benchmarks.report import progress, show
from tests.benchmarks.running import settle
from tests.benchmarks.sealing import sealed_whole
from tests.benchmarks.targets import PRODUCT, prepared, product
from tests.benchmarks.vendor_control import Control

CLIENTS: Final = 8
STARTS: Final = 5
FIRST_ORDERS: Final = 40


class Size(msgspec.Struct, frozen=True):
    """One size of the log: medians over the rounds."""

    database: str
    events_before: int
    orders_per_s: float
    p50_ms: float
    server_cpu_ms: float
    database_cpu_ms: float
    start_s: float


class Growth(msgspec.Struct, frozen=True):
    """Ratios of the large log's cost to the small one's: medians of the rounds' ratios."""

    small: Size
    large: Size
    time_per_order: float
    cpu_per_order: float
    start_difference_s: float


def run(databases: Sequence[str], events: int, rounds: int, seconds: float, folder: Path | None) -> list[Growth]:
    found = [_measure(kind, events, rounds, seconds, folder) for kind in databases]
    columns = ["database", "stored events", "orders/s", "p50 ms", "server CPU ms/order", "database CPU ms/order"]
    columns += ["start s", "time at", "CPU at", "start + s"]
    rows: list[list[object]] = []
    for growth in found:
        for size in (growth.small, growth.large):
            figures = [size.database, size.events_before, size.orders_per_s, size.p50_ms, size.server_cpu_ms]
            rows.append([*figures, size.database_cpu_ms, size.start_s, "", "", ""])
        ratios = [f"{growth.time_per_order:.2f}", f"{growth.cpu_per_order:.2f}", f"{growth.start_difference_s:+.3f}"]
        rows[-1][-3:] = ratios
    show(f"growth: {CLIENTS} clients, vendors answer at once", columns, rows)
    return found


def _measure(kind: str, events: int, rounds: int, seconds: float, folder: Path | None) -> Growth:
    with ExitStack() as stack:
        where = stack.enter_context(place(kind, folder))
        stubs, sender = stack.enter_context(vendors(where.folder)), stack.enter_context(client())
        small, large = (_first_orders(where, stubs.url, sender) for _ in range(2))
        progress.print(f"filling {kind} with {events:,} events")
        fill(where, large, events)
        _catch_up(where, large)
        sizes = [stored_events(where, url) for url in (small, large)]
        starts = _starts(where, stubs.url, (small, large))
        running = []
        for url in (small, large):
            server = stack.enter_context(product(where, stubs.url, database_url=url))
            one = Running(PRODUCT, server, where, sender, Control(stubs.url), first=FIRST_ORDERS)
            one.warm_up()
            running.append(one)
        turns = [[one.sample(CLIENTS, seconds) for one in running] for _ in range(rounds)]
    return Growth(
        small=_size(kind, sizes[0], [turn[0] for turn in turns], starts[0]),
        large=_size(kind, sizes[1], [turn[1] for turn in turns], starts[1]),
        time_per_order=median(turn[0].orders_per_s / turn[1].orders_per_s for turn in turns),
        cpu_per_order=median(_cpu_ms(turn[1]) / _cpu_ms(turn[0]) for turn in turns),
        start_difference_s=starts[1] - starts[0],
    )


def _first_orders(where: Place, vendors_url: str, sender: Client) -> str:
    """A database that has taken a few orders: real rows to multiply. Gives its URL."""
    url = prepared(where)
    with product(where, vendors_url, database_url=url) as server:
        result = sender.run(Job(server.url, 1, 0, 60.0, FIRST_ORDERS))
        assert result.ok == FIRST_ORDERS <= USERS, result.answers
        settle(server.tree)
    return url


def _catch_up(where: Place, url: str) -> None:
    """Seal what was filled, and let the search index stand at the end: copies under other ids do not open for it."""
    progress.print("sealing")
    settings = Settings(database_url=url, seals_path=str(where.folder / "seals"))
    log = SealedLog(settings)
    sealed_whole(log)
    log.close()
    engine = placed(make_engine(settings.key_store_url))
    with engine.begin() as connection:
        connection.execute(state.update().values(position=stored_events(where, url)))
    engine.dispose()


def _starts(where: Place, vendors_url: str, urls: Sequence[str]) -> list[float]:
    """Median seconds from the command to the line that says it is ready, taking turns."""
    seconds: list[list[float]] = [[] for _ in urls]
    for _ in range(STARTS):
        for url, taken in zip(urls, seconds, strict=True):
            with product(where, vendors_url, database_url=url) as server:
                taken.append(server.started_in_s)
    return [median(taken) for taken in seconds]


def _size(kind: str, events: int, samples: Sequence[Sample], start_s: float) -> Size:
    return Size(
        database=kind,
        events_before=events,
        orders_per_s=median(sample.orders_per_s for sample in samples),
        p50_ms=median(sample.p50_ms for sample in samples),
        server_cpu_ms=median(sample.server_cpu_ms for sample in samples),
        database_cpu_ms=median(sample.database_cpu_ms for sample in samples),
        start_s=start_s,
    )


def _cpu_ms(sample: Sample) -> float:
    return sample.server_cpu_ms + sample.database_cpu_ms

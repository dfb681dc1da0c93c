"""`python -m tests.benchmarks.sealing`: what sealing costs, how closely it follows, and how fast a log is verified.

For the lag, orders are committed by the real recorder, three commits each and as fast as it can; the sealer runs on its
thread in the same process, as it does in a server. For orders per second, see `sealing_load`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any

from eventsourcing.persistence import StoredEvent
from rich.console import Console
from rich.table import Table

from api.seals import SealedLog
from api.settings import Settings
from application.adapters.recorders import open_recorder
from application.adapters.recorders.listening import SignallingRecorder
from application.adapters.system import SystemClock
from application.audit.seals.sealed_tree import SealedTree
from application.audit.seals.sealer import Sealer
from application.audit.seals.verifying import verify
from application.stored_events import CODEC
from tests.benchmarks.projection_log import filled
from tests.benchmarks.projections import database
from tests.benchmarks.sealing_load import side_by_side
from tests.projections.histories import Wish, order_events

CLIENTS = 16
PACE_S = 8.0  # how long the lag is measured
NUMBERS = count(60_000_000)


@dataclass(frozen=True)
class Figures:
    database: str
    events: int
    seal_cpu_us: float  # of the sealer's thread, per event, over a log that is there
    seal_events_per_s: float
    live_events_per_s: float
    live_cpu_us: float  # the same while orders come in at full speed
    lag_p50_ms: float  # from a commit until it is sealed, at full speed
    lag_p99_ms: float
    lag_max_ms: float
    verify_events_per_s: float
    verify_fine: bool


class Timed:
    """A sealer that keeps when each position was sealed, and how long its thread worked."""

    def __init__(self, log: SealedLog) -> None:
        async def alarm(problem: str) -> None:
            raise AssertionError(problem)

        self.sealer = Sealer(log.rows, log.store, log.file, log.signer, SystemClock(), owner="benchmark", alarm=alarm)
        self.sealed: list[tuple[int, float]] = []
        self.events, self.cpu_s = 0, 0.0
        self._log = log
        self._round = self.sealer.round
        self.sealer.round = self._timed  # type: ignore[method-assign]

    def _timed(self) -> int:
        began_s = thread_time()
        moved = self._round()
        self.cpu_s += thread_time() - began_s
        self.events += moved
        if moved and (last := self._log.store.last()) is not None:
            self.sealed.append((last.checkpoint.position, perf_counter()))
        return moved


def sealed_whole(log: SealedLog) -> tuple[float, float]:
    """Seal a log that is there: microseconds of CPU per event, and events per second."""
    tree, events = SealedTree.load(log.store, log.file(), log.signer()), 0
    began_s, cpu_s = perf_counter(), thread_time()
    while rows := tree.rows_after(log.rows):
        assert tree.add(rows, SystemClock())
        tree.publish()
        events += len(rows)
    return (thread_time() - cpu_s) / events * 1e6, events / (perf_counter() - began_s)


def one_order() -> list[list[StoredEvent]]:
    """Its three commits."""
    events = [CODEC.encode(event) for event in order_events(next(NUMBERS), Wish("sent"))]
    return [events[:2], events[2:-1], events[-1:]]


async def committed(recorder: SignallingRecorder, seconds: float) -> list[tuple[int, float]]:
    """When each commit was there, by its position."""
    ends_s = perf_counter() + seconds
    commits: list[tuple[int, float]] = []

    async def client() -> None:
        while perf_counter() < ends_s:
            for commit in one_order():
                commits.append((await recorder.insert(commit), perf_counter()))

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return commits


@contextmanager
def running(recorder: SignallingRecorder, log: SealedLog) -> Iterator[Timed]:
    timed = Timed(log)
    recorder.wake = timed.sealer.wake
    task = asyncio.get_running_loop().create_task(timed.sealer.run())
    try:
        yield timed
    finally:
        task.cancel()
        recorder.wake = lambda: None


async def lags(recorder: SignallingRecorder, log: SealedLog) -> tuple[Timed, list[float]]:
    with running(recorder, log) as timed:
        commits = await committed(recorder, PACE_S)
        deadline_s = perf_counter() + 10
        while not timed.sealed or timed.sealed[-1][0] < max(commits)[0]:
            assert perf_counter() < deadline_s, "the sealer does not follow"
            await asyncio.sleep(0.02)
    await timed.sealer.close()
    positions = [position for position, _ in timed.sealed]
    found = [timed.sealed[bisect_left(positions, at)][1] - committed_s for at, committed_s in commits]
    return timed, sorted(max(0.0, lag) for lag in found)


def measured(kind: str, url: str, folder: Path, events: int) -> Figures:
    filled(url, events)
    log = SealedLog(Settings(database_url=url, seals_path=str(folder)))
    try:
        cpu_us, rate = sealed_whole(log)
        timed, lag_s = asyncio.run(_live(url, log))
        report = verify(log.rows, log.store, log.file(), log.signer().verifier)
    finally:
        log.close()
    return Figures(
        database=kind,
        events=report.events,
        seal_cpu_us=cpu_us,
        seal_events_per_s=rate,
        live_events_per_s=timed.events / PACE_S,
        live_cpu_us=timed.cpu_s / timed.events * 1e6,
        lag_p50_ms=share(lag_s, 0.5),
        lag_p99_ms=share(lag_s, 0.99),
        lag_max_ms=share(lag_s, 1.0),
        verify_events_per_s=report.events / report.seconds,
        verify_fine=report.fine,
    )


async def _live(url: str, log: SealedLog) -> tuple[Timed, list[float]]:
    recorder = SignallingRecorder(open_recorder(url))
    try:
        return await lags(recorder, log)
    finally:
        await recorder.close()


def share(in_order: Sequence[float], part: float) -> float:
    return 1000 * in_order[min(int(part * len(in_order)), len(in_order) - 1)]


def table(rows: Sequence[dict[str, Any]]) -> Table:
    shown = Table("figure", *(str(row["database"]) for row in rows))
    for name in list(rows[0])[1:]:
        cells = [row[name] for row in rows]
        shown.add_row(name, *(f"{cell:,.2f}" if isinstance(cell, float) else str(cell) for cell in cells))
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.sealing")
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), action="append")
    parser.add_argument("--no-orders", action="store_true", help="only the log: no servers, no orders over HTTP")
    parser.add_argument("--rounds", type=int, default=7, help="of orders, with and without sealing in turn")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each")
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    figures: list[dict[str, Any]] = []
    for kind in options.database or ("sqlite", "postgresql"):
        with tempfile.TemporaryDirectory() as folder, database(kind) as url:
            found = asdict(measured(kind, url, Path(folder), options.events))
        if not options.no_orders:
            found |= asdict(side_by_side(kind, options.concurrency, options.rounds, options.seconds))
        figures.append(found)
    Console().print(table(figures))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()

"""`python -m tests.benchmarks.projections`: what a rebuild costs, next to the library's way and a hand-written floor.

Each measurement runs in a process of its own, so that its peak of memory is its own. Prints a table and, with --json,
writes all figures.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from uuid import uuid4

from rich.console import Console
from rich.table import Table

from api.read_models import MODELS, ORDERS, ReadModels
from api.settings import Settings
from domain.policy import Policy
from projections.model import ReadModel
from tests.benchmarks.projection_load import under_load
from tests.benchmarks.projection_log import filled
from tests.benchmarks.projection_rivals import floor, library
from tests.databases import fresh_database, run_folder, shared_server

LIBRARY_EVENTS = 3_000  # its pace does not depend on how many there are
PARTS = ("rebuild", "rebuild-all", "floor", "library")


@dataclass(frozen=True)
class Figure:
    """One measurement. `seconds` is from the first read of the log to the last index; of a rebuild, `whole_s` is with
    comparing and switching."""

    database: str
    events: int
    part: str
    events_per_s: float
    seconds: float
    peak_mb: float
    whole_s: float | None = None
    switch_ms: float | None = None
    equal: bool | None = None


def measure(part: str, url: str, events: int) -> dict[str, float | bool | None]:
    """In this process, on a log that is there."""
    before_mb = _peak_mb()
    result: dict[str, float | bool | None] = {}
    if part == "library":
        rate = library(url, LIBRARY_EVENTS)
        result = {"events_per_s": rate, "seconds": LIBRARY_EVENTS / rate}
    elif part == "floor":
        seconds = floor(url)
        result = {"events_per_s": events / seconds, "seconds": seconds}
    else:
        result = _rebuild([ORDERS] if part == "rebuild" else list(MODELS), url)
    return result | {"peak_mb": _peak_mb(), "before_mb": before_mb}


def _rebuild(models: Sequence[ReadModel], url: str) -> dict[str, float | bool | None]:
    parts = ReadModels(Settings(database_url=url), Policy(), "benchmark")
    head = parts.log.head()
    began_s = perf_counter()
    outcomes = parts.rebuilder.rebuild(models)
    whole_s = perf_counter() - began_s
    asyncio.run(parts.close())
    built_s = outcomes[0].built_s
    return {
        "events_per_s": head / built_s,
        "seconds": built_s,
        "whole_s": whole_s,
        "switch_ms": max((outcome.switch_s or 0.0) * 1000 for outcome in outcomes),
        "equal": all(outcome.comparison.equal for outcome in outcomes),
    }


def _peak_mb() -> float:
    """Of this program alone: the figure of getrusage has that of the parent in it."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


def in_process_of_its_own(part: str, database: str, url: str, events: int) -> Figure:
    command = [sys.executable, "-m", "tests.benchmarks.projections", "--part", part, "--url", url]
    done = subprocess.run(
        [*command, "--events", str(events)], check=True, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    found = json.loads(done.stdout)
    found.pop("before_mb")
    return Figure(database, events, part, **found)


@contextmanager
def database(kind: str) -> Iterator[str]:
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="orders-benchmark-") as name:
            yield f"sqlite:///{name}/orders.db"
        return
    folder = run_folder(f"benchmark-{uuid4().hex[:8]}")
    with shared_server(folder, durable=True) as server, fresh_database(server) as url:
        yield url


def follow(url: str) -> float:
    """The live projector over the whole log; events per second."""
    parts = ReadModels(Settings(database_url=url), Policy(), "benchmark")
    head, began_s = parts.log.head(), perf_counter()
    while parts.following.round():
        pass
    asyncio.run(parts.close())
    gc.collect()
    return head / (perf_counter() - began_s)


def table(figures: list[Figure]) -> Table:
    shown = Table("database", "events", "what", "events/s", "× library", "of floor", "peak MB", "whole s", "switch ms")
    for figure in figures:
        same = {f.part: f for f in figures if (f.database, f.events) == (figure.database, figure.events)}
        against = "rebuild" in figure.part
        shown.add_row(
            figure.database,
            f"{figure.events:,}",
            figure.part,
            f"{figure.events_per_s:,.0f}",
            f"{figure.events_per_s / same['library'].events_per_s:.0f}" if against and "library" in same else "",
            f"{figure.events_per_s / same['floor'].events_per_s:.2f}" if against and "floor" in same else "",
            f"{figure.peak_mb:.0f}",
            "" if figure.whole_s is None else f"{figure.whole_s:.1f}",
            "" if figure.switch_ms is None else f"{figure.switch_ms:.1f}",
        )
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.projections")
    parser.add_argument("--events", type=lambda text: [int(n) for n in text.split(",")], default=[100_000])
    parser.add_argument("--database", choices=("sqlite", "postgresql"), action="append")
    parser.add_argument("--load", action="store_true", help="also commits of orders while a rebuild runs")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        sys.stdout.write(json.dumps(measure(options.part, options.url, options.events[0])))
        return
    console, figures, load = Console(), list[Figure](), list[dict[str, object]]()
    for kind in options.database or ("sqlite", "postgresql"):
        for events in options.events:
            with database(kind) as url:
                filled(url, events)
                rate = follow(url)
                console.print(f"{kind}, {events:,} events: the live projector reads {rate:,.0f} events/s")
                for part in ("library", "floor", "rebuild", "rebuild-all"):
                    figures.append(in_process_of_its_own(part, kind, url, events))
                if options.load:
                    load.append({"database": kind, "events": events, **under_load(url)})
                    console.print(load[-1])
    console.print(table(figures))
    if options.json:
        options.json.write_text(json.dumps({"figures": [asdict(f) for f in figures], "load": load}, indent=2))


if __name__ == "__main__":
    main()

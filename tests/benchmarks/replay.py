"""`python -m tests.benchmarks.replay`: the whole-log replay with all its checks, next to the plain decode of the log.

Each runs in a process of its own. Rates are per second of processor time, so they are those of one core whatever else
the machine does; the wall clock is told beside them. Exit code 1 where the goal is missed: 50,000 events/s, or half of
the plain decode rate if that is less.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from time import perf_counter, process_time
from typing import Any
from uuid import UUID, uuid4

from eventsourcing.persistence import StoredEvent
from rich.console import Console
from rich.table import Table

from application.adapters.log_scan import LogScan
from application.adapters.sql import make_engine
from application.audit.other_policy import OtherPolicy
from application.audit.replaying import PAGE, Cut, pages, replay_log
from application.audit.what_if import WhatIf
from application.stored_events import CODEC
from domain.promotion import PromotionRedemption
from domain.stream import Stream
from tests.benchmarks.projection_log import MIX, written
from tests.databases import fresh_database, run_folder, shared_server
from tests.projections.histories import order_events, promotion_events

GOAL_EVENTS_PER_S = 50_000
PARTS = ("decode", "replay", "what-if")


def measure(part: str, url: str) -> dict[str, Any]:
    """In this process, on a log that is there."""
    engine = make_engine(url)
    scan = LogScan(engine)
    run: Callable[[LogScan], dict[str, Any]] = {"decode": _decode, "replay": _replay, "what-if": _what_if}[part]
    gc.disable()  # as the commands do
    cpu_s, wall_s = process_time(), perf_counter()
    found = run(scan)
    cpu_s, wall_s = process_time() - cpu_s, perf_counter() - wall_s
    engine.dispose()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rates = {"events_per_cpu_s": round(found["events"] / cpu_s), "events_per_s": round(found["events"] / wall_s)}
    if "orders" in found:
        rates["orders_per_cpu_s"] = round(found["orders"] / cpu_s)
    return {"part": part, **found, **rates, "peak_mb": round(peak_mb)}


def _decode(scan: LogScan) -> dict[str, Any]:
    """Scan, and decode every event as the product does when it loads one."""
    after = events = 0
    while page := scan.page(after, PAGE):
        for row in page:
            CODEC.decode(StoredEvent(UUID(row.stream_id), row.version, row.topic, row.state))
        after, events = page[-1].position, events + len(page)
    return {"events": events}


def _replay(scan: LogScan) -> dict[str, Any]:
    log = replay_log(scan, CODEC.topics, Cut(), lambda _: None)
    return {"events": log.events, "orders": log.orders, "mismatches": log.mismatches}


def _what_if(scan: LogScan) -> dict[str, Any]:
    replayed, events = WhatIf(OtherPolicy(duplicate_window_s=300)), 0
    for page in pages(scan, Cut(), scan.head()):
        replayed.page(page)
        events += len(page)
    return {"events": events, "orders": replayed.findings().orders}


def history(events: int) -> Iterator[Stream.Event]:
    """At least so many events of orders that end in every way; each promotion is used by a user of its own."""
    made = list(promotion_events())
    yield from made
    count = len(made)
    for number, wish in enumerate(cycle(MIX), start=1):
        if count >= events:
            return
        for event in order_events(number, replace(wish, days=number // 500 % 700)):
            if isinstance(event, PromotionRedemption.Reserved):
                event.__dict__["holder"] = f"user:{number}"
            yield event
            count += 1


def compare(kind: str, url: str, events: int) -> list[dict[str, Any]]:
    """All parts on one log, one after the other."""
    written(url, history(events))
    found = []
    for part in PARTS:
        command = [sys.executable, "-m", "tests.benchmarks.replay", "--measure", part, "--url", url]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found.append({"database": kind, **json.loads(done.stdout)})
    return found


@contextmanager
def databases(kinds: Sequence[str], folder: Path) -> Iterator[Iterator[tuple[str, str]]]:
    def each() -> Iterator[tuple[str, str]]:
        if "sqlite" in kinds:
            yield "sqlite", f"sqlite:///{folder}/orders.db"
        if "postgresql" in kinds:
            with shared_server(run_folder(uuid4().hex), durable=True) as server, fresh_database(server) as url:
                yield "postgresql", url

    yield each()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--database", action="append", choices=["sqlite", "postgresql"])
    parser.add_argument("--json", action="store_true", help="print figures as JSON")
    parser.add_argument("--measure", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        sys.stdout.write(json.dumps(measure(arguments.measure, arguments.url)))
        return
    kinds = arguments.database or ["sqlite", "postgresql"]
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder, databases(kinds, Path(folder)) as opened:
        for kind, url in opened:
            found += compare(kind, url, arguments.events)
    if arguments.json:
        sys.stdout.write(json.dumps(found, indent=1) + "\n")
    else:
        _print(found)
    sys.exit(0 if _is_met(found) else 1)


def _is_met(found: Sequence[dict[str, Any]]) -> bool:
    """The goal, and no mismatch, on each database."""
    by_part = {(figure["database"], figure["part"]): figure for figure in found}
    return all(
        figure["mismatches"] == 0
        and figure["events_per_cpu_s"] >= min(GOAL_EVENTS_PER_S, by_part[database, "decode"]["events_per_cpu_s"] / 2)
        for (database, part), figure in by_part.items()
        if part == "replay"
    )


def _print(found: Sequence[dict[str, Any]]) -> None:
    table = Table(
        "database", "part", "events", "events/s per core", "events/s", "orders/s per core", "mismatches", "MB"
    )
    for figure in found:
        numbers = ("events", "events_per_cpu_s", "events_per_s", "orders_per_cpu_s", "mismatches", "peak_mb")
        shown = (f"{figure[name]:,}" if name in figure else "" for name in numbers)
        table.add_row(figure["database"], figure["part"], *shown)
    Console().print(table)


if __name__ == "__main__":
    main()

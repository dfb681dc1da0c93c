"""`python -m tests.benchmarks`: the comparison, or with a flag one of the closer looks. Exit code 0 when it ran."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.benchmarks import growth, memory, overload, proxied, stages
from tests.benchmarks.load import client
from tests.benchmarks.matrix import Cell, Figures, measure
from tests.benchmarks.places import DATABASES, POSTGRESQL, place, vendors
from tests.benchmarks.report import console, machine, progress, show_cell, title_of, write_json
from tests.benchmarks.targets import OBVIOUS_ON_POSTGRESQL
from tests.benchmarks.vendor_control import Control


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="What an order costs.")
    add = parser.add_argument
    add("--quick", action="store_true", help="one server process, 8 clients, no delay, two short rounds")
    add("--json", type=Path, metavar="FILE", help="write all figures there too")
    add("--database", choices=DATABASES, action="append", help="only this one; may come twice")
    add("--concurrency", type=numbers, default=[1, 8, 32, 128], help="clients at once, as 1,8,32,128")
    add("--delay-ms", type=numbers, default=[0, 150], help="of a charge, as 0,150")
    add("--mail-delay-ms", type=int, default=20, help="of a mail, where the charge is delayed at all")
    add("--processes", type=numbers, default=[1, 2], help="server processes, as 1,2; above 1 on PostgreSQL only")
    add("--rounds", type=int, default=3, help="how often all targets take turns")
    add("--seconds", type=float, default=3.0, help="of load per target, cell and round")
    add("--folder", type=Path, help="where to put SQLite files: a folder on the disk to measure")
    add("--stages", action="store_true", help="where the product's processor time goes")
    add("--growth", action="store_true", help="an order's cost, and start-up, with a small and a large log")
    add("--events", type=int, default=10_000_000, help="in the large log")
    add("--memory", action="store_true", help="the server's memory over many orders")
    add("--orders", type=int, default=100_000, help="for --memory")
    add("--overload", action="store_true", help="far more clients than the server takes orders at once")
    add("--proxy-ms", type=float, default=0.0, help="PostgreSQL behind a proxy that adds this delay each way")
    options = parser.parse_args(arguments)
    options.database = options.database or list(DATABASES)
    if options.quick:
        options.concurrency, options.delay_ms, options.processes = [8], [0], [1]
        options.rounds, options.seconds = 2, min(options.seconds, 1.5)
    return options


def compare(options: argparse.Namespace) -> list[Figures]:
    """All figures, each cell shown as soon as it is there."""
    found: list[Figures] = []
    if POSTGRESQL in options.database and not OBVIOUS_ON_POSTGRESQL:
        progress.print("without the obvious build on PostgreSQL, whose driver needs the package psycopg-pool")
    for kind in options.database:
        with ExitStack() as stack:
            where = stack.enter_context(place(kind, options.folder))
            stubs = stack.enter_context(vendors(where.folder))
            sender = stack.enter_context(client())
            for processes in options.processes if kind == POSTGRESQL else [1]:
                cells = _cells(kind, processes, options)
                cell: list[Figures] = []
                rows = measure(where, processes, cells, options.rounds, options.seconds, sender, Control(stubs.url))
                for row in rows:
                    if cell and row.cell != cell[0].cell:
                        show_cell(cell)
                        cell = []
                    cell.append(row)
                    found.append(row)
                    progress.print(f"{title_of(row.cell)}: {row.target} {row.orders_per_s:,.0f} orders/s")
                show_cell(cell)
    return found


def _cells(kind: str, processes: int, options: argparse.Namespace) -> list[Cell]:
    return [
        Cell(kind, processes, concurrency, delay_ms, options.mail_delay_ms if delay_ms else 0)
        for delay_ms in options.delay_ms
        for concurrency in options.concurrency
    ]


def _version(kind: str) -> str:
    with place(kind) as where:
        return where.version


def main(arguments: Sequence[str] | None = None) -> None:
    options = parsed(arguments)
    parts: dict[str, Any] = {}
    if options.stages:
        parts["stages"] = stages.run(options.database, options.concurrency, options.seconds, options.folder)
    if options.growth:
        parts["growth"] = growth.run(options.database, options.events, options.rounds, options.seconds, options.folder)
    if options.memory:
        parts["memory"] = memory.run(options.database, options.orders, options.folder)
    if options.overload:
        parts["overload"] = overload.run(options.database, options.seconds, options.folder)
    if options.proxy_ms:
        parts["proxy"] = proxied.run(options.proxy_ms, options.concurrency, options.rounds, options.seconds)
    if not parts:
        parts["cells"] = compare(options)
    line = machine([_version(kind) for kind in options.database])
    console.print(line)
    if options.json:
        write_json(options.json, line, parts)


if __name__ == "__main__":
    main()

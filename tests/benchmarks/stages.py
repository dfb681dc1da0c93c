"""Where the product's processor time goes, stage by stage: `--stages`. The timer itself costs some of what it shows."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec

from tests.benchmarks.example import USERS
from tests.benchmarks.load import Job, client
from tests.benchmarks.places import place, vendors
from tests.benchmarks.report import progress, show
from tests.benchmarks.running import python, server, settle
from tests.benchmarks.stage_timer import Report, Stage
from tests.benchmarks.targets import environment_of, prepared

WRITE_S = 10.0


class Row(msgspec.Struct, frozen=True):
    """One stage, per order."""

    stage: str
    calls: float
    cpu_us: float
    elapsed_us: float


class Stages(msgspec.Struct, frozen=True):
    database: str
    concurrency: int
    orders: int
    orders_per_s: float
    rows: list[Row]
    not_timed: list[str]


def run(databases: Sequence[str], concurrency: Sequence[int], seconds: float, folder: Path | None) -> list[Stages]:
    """One table per database, with the clients nearest to 8."""
    clients = min(concurrency, key=lambda number: abs(number - 8))
    found = [measure(kind, clients, seconds, folder) for kind in databases]
    for one in found:
        title = f"stages: {one.database}, {clients} clients, {one.orders_per_s:,.0f} orders/s under the timer"
        columns = ["stage", "calls/order", "CPU µs/order", "elapsed µs/order"]
        show(title, columns, [[row.stage, row.calls, row.cpu_us, row.elapsed_us] for row in one.rows])
        if one.not_timed:
            progress.print(f"not timed, since they are not there: {', '.join(one.not_timed)}")
    return found


def measure(kind: str, concurrency: int, seconds: float, folder: Path | None) -> Stages:
    with ExitStack() as stack:
        where = stack.enter_context(place(kind, folder))
        stubs, sender = stack.enter_context(vendors(where.folder)), stack.enter_context(client())
        file = where.folder / "stages.json"
        environment = {**environment_of(prepared(where), stubs.url), "STAGES_FILE": str(file)}
        command = python("tests.benchmarks.staged_server", "serve", "--port", "0")
        running = stack.enter_context(server(command, environment, where.folder / "product.log"))
        warm = sender.run(Job(running.url, concurrency, 0, 120.0, USERS))
        settle(running.tree)
        os.kill(running.tree.pid, signal.SIGUSR1)
        result = sender.run(Job(running.url, concurrency, warm.sent, seconds))
        settle(running.tree)
        report = _report(running.tree.pid, file)
    return Stages(
        kind, concurrency, result.sent, result.ok / result.took_s, _rows(report, max(result.sent, 1)), report.missing
    )


def _report(pid: int, file: Path) -> Report:
    os.kill(pid, signal.SIGUSR2)
    deadline = time.monotonic() + WRITE_S
    while not file.exists():
        assert time.monotonic() < deadline, "the server did not write its report"
        time.sleep(0.01)
    return msgspec.json.decode(file.read_bytes(), type=Report)


def _rows(report: Report, orders: int) -> list[Row]:
    """The stages in the order of their names' groups, then what lies between them, then the sum."""
    in_threads = {name: stage for name, stage in report.stages.items() if name.startswith("thread: ")}
    on_loop = {name: stage for name, stage in report.stages.items() if name not in in_threads}
    loop_rest = report.loop_ns - sum(stage.cpu_ns for stage in on_loop.values())
    thread_rest = report.process_ns - report.loop_ns - sum(stage.cpu_ns for stage in in_threads.values())
    ordered = dict(sorted(on_loop.items(), key=lambda item: -item[1].cpu_ns))
    ordered["event loop, uvicorn, sockets, answers of vendors and database"] = Stage(0, loop_rest, 0)
    ordered["= the event loop's thread"] = Stage(0, report.loop_ns, 0)
    ordered |= dict(sorted(in_threads.items(), key=lambda item: -item[1].cpu_ns))
    ordered["threads: hops, idle work, the rest"] = Stage(0, thread_rest, 0)
    ordered["= the process"] = Stage(0, report.process_ns, 0)
    return [
        Row(name, stage.calls / orders, stage.cpu_ns / 1000 / orders, stage.elapsed_ns / 1000 / orders)
        for name, stage in ordered.items()
    ]

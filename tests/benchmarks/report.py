"""What is printed and written: tables for people, JSON for programs, and the machine that it was measured on."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from tests.benchmarks.matrix import Cell, Figures

console = Console(width=170, highlight=False)
progress = Console(stderr=True, width=170, highlight=False)


def machine(databases: Sequence[str]) -> str:
    """Cores, processor, Python and databases in one line."""
    return ", ".join([f"{os.cpu_count()} cores", _processor(), f"Python {platform.python_version()}", *databases])


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def show(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table whose first column is text and whose others are figures; units stand in the heads."""
    console.print(f"\n[bold]{title}[/bold]")
    table = Table()
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    for row in rows:
        table.add_row(*map(shown, row))
    console.print(table)


def shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def title_of(cell: Cell) -> str:
    processes = "one server process" if cell.processes == 1 else f"{cell.processes} server processes"
    clients = "1 client" if cell.concurrency == 1 else f"{cell.concurrency} clients"
    delay = f"charge {cell.charge_delay_ms} ms, mail {cell.mail_delay_ms} ms"
    return f"{cell.database}, {processes}, {clients}, {delay if cell.charge_delay_ms else 'vendors answer at once'}"


def show_cell(figures: Sequence[Figures]) -> None:
    """One table per cell; `product at` is the product's orders/s divided by that row's, `background` what the process
    beside the server took of the server's time."""
    product = next((one for one in figures if one.target == "product"), None)
    columns = ["target", "orders/s", "p50 ms", "p99 ms", "server CPU ms/order", "background", "database CPU ms/order"]
    rows = [
        [
            one.target,
            one.orders_per_s,
            one.p50_ms,
            one.p99_ms,
            one.server_cpu_ms,
            one.background_cpu_ms,
            one.database_cpu_ms if one.cell.database != "sqlite" else "in server",
            f"{one.charges_per_order:.3f}",
            one.most_charges_per_invoice,
            _counts(one.not_ok),
            "" if product is None or one is product else f"{product.ratios[one.target]:.2f}",
        ]
        for one in figures
    ]
    columns += ["charges/order", "most per invoice", "answers not 200", "product at"]
    show(title_of(figures[0].cell), columns, rows)


def _counts(not_ok: Mapping[str, int]) -> str:
    return ", ".join(f"{slug}: {count}" for slug, count in not_ok.items()) or "0"


def write_json(file: Path, machine_line: str, parts: Mapping[str, Any]) -> None:
    """Every figure with its unit in its name."""
    content = msgspec.json.encode({"machine": machine_line, **parts})
    file.write_bytes(msgspec.json.format(content, indent=2))

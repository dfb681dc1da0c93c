"""`python -m tests.benchmarks.ledger_year`: the ledger over a generated year of orders with promotions, refunds, voids,
unexpected charges and daily settlement batches.

Prints how fast the live projector books it, the trial balance at every month's end, and what the exports cost. Exits
with 1 where a trial balance is not zero or the open items are not the balance of clearing.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter, thread_time

from rich.console import Console
from rich.table import Table

from api.read_models import LEDGER, ReadModels
from api.settings import Settings
from domain.policy import Policy
from domain.settlement import SettledTransaction
from domain.stream import Stream
from projections.following import Following
from projections.ledger.accounts import CLEARING
from projections.ledger.balances import Selection as Selected
from projections.ledger.balances import open_items, totals, trial_balance
from projections.ledger.exports.journal import amount_text
from projections.ledger.exports.writing import FORMATS, export_journal
from projections.ledger.periods import next_month
from projections.ledger.reading import reading
from tests.benchmarks.projection_log import written
from tests.benchmarks.projections import _peak_mb, database
from tests.projections.histories import START, Wish, order_events
from tests.projections.ledger.histories import Orphan, batch_events, orphan_events, settleable

DAYS = 365
MIX = (
    *(("sent", None, True),) * 5,
    *(("sent", None, False),) * 5,
    *(("sent", 0, True),) * 2,
    ("sent", 1, False),
    ("sent", 2, False),
    ("declined", None, False),
    ("voided", 0, True),
    ("refunded", None, True),
    ("refunded", 1, False),
    ("expired", None, False),
    ("unexpected", None, False),
)  # ending, promotion, both services


def year(orders: int) -> Iterator[Stream.Event]:
    """Day by day: the orders, now and then an orphan charge, and a batch of what is due. Charges settle on the next
    day, refunds, which come five days after their order, on the day after that; those of the last day stay open."""
    due: defaultdict[int, list[SettledTransaction]] = defaultdict(list)
    for day in range(DAYS):
        for number in range(day * orders // DAYS + 1, (day + 1) * orders // DAYS + 1):
            ending, promotion, both = MIX[number % len(MIX)]
            events = order_events(number, Wish(ending, promotion, both, days=day, later_days=5))
            for row in settleable(events):
                due[day + (6 if row.kind == "refund" else 1)].append(row)
            yield from events
        if day % 30 == 7:
            yield from orphan_events(day, Orphan("refunded" if day % 60 == 7 else "voided"))
        if rows := due.pop(day, None):
            yield from batch_events(day, START + timedelta(days=day, hours=3), rows)


def booked(parts: ReadModels) -> tuple[float, float]:
    """The live projector with this one model over the whole log: seconds, and seconds of processor time."""
    following = Following(parts.storage, [LEDGER], [], parts.log)
    began_s, began_cpu_s = perf_counter(), thread_time()
    while following.round():
        pass
    return perf_counter() - began_s, thread_time() - began_cpu_s


def month_ends() -> Iterator[datetime]:
    month = "2026-11"
    for _ in range(13):
        month = next_month(month)
        yield datetime.fromisoformat(f"{month}-01T00:00:00").replace(tzinfo=UTC)


def balanced(parts: ReadModels, console: Console) -> bool:
    """Show the trial balance at every month's end; whether all are zero."""
    shown = Table("before", "debits", "credits", "difference", "clearing", "open items", "ms")
    fine = True
    with reading(parts.storage, LEDGER) as (position, connection):
        for end in month_ends():
            began_s = perf_counter()
            balance = trial_balance(connection, Selected.at(end))
            took_ms = (perf_counter() - began_s) * 1000
            bottom, items = totals(balance), open_items(connection, end)
            clearing = sum(row["balance_cents"] for row in balance if row["account"] == CLEARING)
            fine &= bottom["balance_cents"] == 0 and clearing == sum(row["amount_cents"] for row in items)
            amounts = (bottom["debit_cents"], bottom["credit_cents"], bottom["balance_cents"], clearing)
            if end > START + timedelta(days=DAYS):  # everything: the sums by day are those of all postings
                fine &= balance == trial_balance(connection, Selected(through=position))
            shown.add_row(str(end.date()), *map(amount_text, amounts), f"{len(items):,}", f"{took_ms:.0f}")
    console.print(shown)
    return fine


def exported(parts: ReadModels, console: Console) -> None:
    shown = Table("format", "seconds", "entries/s", "MB", "peak MB of this process")
    for name in FORMATS:
        with tempfile.TemporaryDirectory() as folder, reading(parts.storage, LEDGER) as (_, connection):
            began_s = perf_counter()
            manifest = export_journal(connection, Path(folder), [name])
            took_s = perf_counter() - began_s
        size_mb = manifest["files"][0]["bytes"] / 1e6
        rate = f"{manifest['entries'] / took_s:,.0f}"
        shown.add_row(name, f"{took_s:.1f}", rate, f"{size_mb:.1f}", f"{_peak_mb():.0f}")
    console.print(shown)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.ledger_year")
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), action="append")
    parser.add_argument("--no-exports", action="store_true")
    options = parser.parse_args()
    console, fine = Console(width=110), True
    for kind in options.database or ("sqlite", "postgresql"):
        with database(kind) as url:
            written(url, year(options.orders))
            parts = ReadModels(Settings(database_url=url), Policy(), "benchmark")
            try:
                events = parts.log.head()
                took_s, cpu_s = booked(parts)
                console.print(
                    f"{kind}: {options.orders:,} orders, {events:,} events, booked in {took_s:.1f} s:"
                    f" {events / took_s:,.0f} events/s, {cpu_s / options.orders * 1e6:.0f} µs of processor per order"
                )
                fine &= balanced(parts, console)
                if not options.no_exports:
                    exported(parts, console)
            finally:
                asyncio.run(parts.close())
    console.print("every trial balance is zero, and clearing is its open items" if fine else "NOT BALANCED")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())

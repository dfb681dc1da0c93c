"""More than the server can take: the same slow vendors with as many clients as it has places, and with twice as many.

What it accepts must be served as before; what it refuses must be refused at once, as 503 `server-overloaded`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec

from api.overload import MAX_UNDER_WAY
from tests.benchmarks.load import Job, Result, client
from tests.benchmarks.places import place, vendors
from tests.benchmarks.report import progress, show
from tests.benchmarks.running import settle
from tests.benchmarks.targets import PRODUCT, product
from tests.benchmarks.vendor_control import Control

CHARGE_DELAY_MS: Final = 2_500
MAIL_DELAY_MS: Final = 20
CLIENTS: Final = (MAX_UNDER_WAY // 2, MAX_UNDER_WAY, 2 * MAX_UNDER_WAY)
REFUSED: Final = "503 server-overloaded"


class Overload(msgspec.Struct, frozen=True):
    """One number of clients. A refused client asks again after a second, as it is told to."""

    database: str
    clients: int
    accepted_per_s: float
    accepted_p99_ms: float
    refused_per_s: float
    refused_p99_ms: float
    other_answers: dict[str, int]
    charges_per_order: float


def run(databases: Sequence[str], seconds: float, folder: Path | None) -> list[Overload]:
    found = [one for kind in databases for one in _measure(kind, max(seconds, 6.0), folder)]
    columns = ["database", "clients", "accepted/s", "accepted p99 ms", "refused/s", "refused p99 ms", "other answers"]
    rows: list[list[object]] = []
    for one in found:
        figures = [one.accepted_per_s, one.accepted_p99_ms, one.refused_per_s, one.refused_p99_ms]
        rows.append([one.database, one.clients, *figures, sum(one.other_answers.values())])
    show(f"overload: a charge takes {CHARGE_DELAY_MS} ms, {MAX_UNDER_WAY} orders at once", columns, rows)
    return found


def _measure(kind: str, seconds: float, folder: Path | None) -> list[Overload]:
    found: list[Overload] = []
    with ExitStack() as stack:
        where = stack.enter_context(place(kind, folder))
        stubs, sender = stack.enter_context(vendors(where.folder)), stack.enter_context(client())
        server = stack.enter_context(product(where, stubs.url))
        control = Control(stubs.url)
        first = sender.run(Job(server.url, 8, 0, 120.0, PRODUCT.warm_up)).sent
        control.delay(CHARGE_DELAY_MS, MAIL_DELAY_MS)
        for clients in CLIENTS:
            control.counts()
            result = sender.run(Job(server.url, clients, first, seconds))
            first += result.sent
            settle(server.tree)
            found.append(_figures(kind, clients, result, control.counts().charges))
            progress.print(f"{kind}: {clients} clients, {result.answers}")
    return found


def _figures(kind: str, clients: int, result: Result, charges: int) -> Overload:
    return Overload(
        database=kind,
        clients=clients,
        accepted_per_s=result.ok / result.took_s,
        accepted_p99_ms=result.p99_ms_of.get("ok", 0.0),
        refused_per_s=result.answers.get(REFUSED, 0) / result.took_s,
        refused_p99_ms=result.p99_ms_of.get(REFUSED, 0.0),
        other_answers={answer: count for answer, count in result.answers.items() if answer not in {"ok", REFUSED}},
        charges_per_order=charges / max(result.ok, 1),
    )

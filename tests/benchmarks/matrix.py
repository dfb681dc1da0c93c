"""Cells and rounds: all targets take turns in every round, so that whatever else the machine does meets them all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from statistics import median
from typing import Final

import msgspec

from tests.benchmarks.load import Client, Job, Result
from tests.benchmarks.places import Place
from tests.benchmarks.running import Server, Tree, settle
from tests.benchmarks.targets import Target, targets_for
from tests.benchmarks.vendor_control import Control

BACKGROUND: Final = "work_process"  # in the command of the product's background process


class Cell(msgspec.Struct, frozen=True):
    """One kind of load. `mail_delay_ms` is there where the charge is delayed at all."""

    database: str
    processes: int
    concurrency: int
    charge_delay_ms: int
    mail_delay_ms: int


class Sample(msgspec.Struct, frozen=True):
    """One target under one load in one round."""

    orders_per_s: float
    p50_ms: float
    p99_ms: float
    server_cpu_ms: float  # per order, background work included
    background_cpu_ms: float  # per order: what of it the background process took
    database_cpu_ms: float  # per order
    charges_per_order: float
    most_charges_per_invoice: int
    not_ok: dict[str, int]


class Figures(msgspec.Struct, frozen=True):
    """Medians over the rounds; counts are sums. `samples` holds the rounds."""

    cell: Cell
    target: str
    orders_per_s: float
    p50_ms: float
    p99_ms: float
    server_cpu_ms: float
    background_cpu_ms: float
    database_cpu_ms: float
    charges_per_order: float
    most_charges_per_invoice: int
    not_ok: dict[str, int]
    ratios: dict[str, float]  # orders/s divided by another target's, median of the rounds' ratios
    samples: list[Sample]


class Running:
    """A started target and the orders that it has been sent."""

    def __init__(
        self, target: Target, server: Server, place: Place, client: Client, control: Control, first: int = 0
    ) -> None:
        self.target = target
        self._server = server
        self._place = place
        self._client = client
        self._control = control
        self._next = first

    def warm_up(self) -> None:
        self._load(Job(self._server.url, 8, self._next, 120.0, self.target.warm_up))
        self._settle()

    def sample(self, concurrency: int, seconds: float) -> Sample:
        """Load it for so long; wait until its background work is done, which is part of the cost."""
        self._control.counts()
        server_s, background_s = self._server.tree.cpu_s(), self._server.tree.cpu_s(BACKGROUND)
        database_s = self._database_cpu_s()
        result = self._load(Job(self._server.url, concurrency, self._next, seconds))
        self._settle()
        counts, orders = self._control.counts(), max(result.sent, 1)
        return Sample(
            orders_per_s=result.ok / result.took_s,
            p50_ms=result.p50_ms,
            p99_ms=result.p99_ms,
            server_cpu_ms=1000 * (self._server.tree.cpu_s() - server_s) / orders,
            background_cpu_ms=1000 * (self._server.tree.cpu_s(BACKGROUND) - background_s) / orders,
            database_cpu_ms=1000 * (self._database_cpu_s() - database_s) / orders,
            charges_per_order=counts.charges / max(result.ok, 1),
            most_charges_per_invoice=counts.most_per_invoice,
            not_ok={slug: count for slug, count in result.answers.items() if slug != "ok"},
        )

    def _load(self, job: Job) -> Result:
        result = self._client.run(job)
        self._next = job.first + result.sent
        return result

    def _settle(self) -> None:
        settle(*filter(None, [self._server.tree, self._place.tree]))

    def _database_cpu_s(self) -> float:
        tree: Tree | None = self._place.tree
        return tree.cpu_s() if tree else 0.0


def measure(
    place: Place, processes: int, loads: Sequence[Cell], rounds: int, seconds: float, client: Client, control: Control
) -> Iterator[Figures]:
    """All loads on all targets of one database and number of processes, cell by cell."""
    with ExitStack() as stack:
        running = [
            Running(target, stack.enter_context(target.start(place, control.url, processes)), place, client, control)
            for target in targets_for(place.kind, processes)
        ]
        for one in running:
            one.warm_up()
        for cell in loads:
            control.delay(cell.charge_delay_ms, cell.mail_delay_ms)
            turns = [[one.sample(cell.concurrency, seconds) for one in running] for _ in range(rounds)]
            names = [one.target.name for one in running]
            for place_in_turn, name in enumerate(names):
                yield _figures(cell, name, place_in_turn, names, turns)
        control.delay(0, 0)


def _figures(cell: Cell, name: str, own: int, names: Sequence[str], turns: Sequence[Sequence[Sample]]) -> Figures:
    samples = [turn[own] for turn in turns]
    not_ok: dict[str, int] = {}
    for sample in samples:
        for slug, count in sample.not_ok.items():
            not_ok[slug] = not_ok.get(slug, 0) + count
    return Figures(
        cell=cell,
        target=name,
        orders_per_s=median(sample.orders_per_s for sample in samples),
        p50_ms=median(sample.p50_ms for sample in samples),
        p99_ms=median(sample.p99_ms for sample in samples),
        server_cpu_ms=median(sample.server_cpu_ms for sample in samples),
        background_cpu_ms=median(sample.background_cpu_ms for sample in samples),
        database_cpu_ms=median(sample.database_cpu_ms for sample in samples),
        charges_per_order=median(sample.charges_per_order for sample in samples),
        most_charges_per_invoice=max(sample.most_charges_per_invoice for sample in samples),
        not_ok=not_ok,
        ratios={
            other: median(turn[own].orders_per_s / max(turn[number].orders_per_s, 0.001) for turn in turns)
            for number, other in enumerate(names)
            if number != own
        },
        samples=samples,
    )

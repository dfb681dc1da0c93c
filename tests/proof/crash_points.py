"""Every way in which a submit can be interrupted, tried out one by one.

A scenario is a fault at the gateway, a fault in the database, a second request, and a promotion or none. It is run once
without a crash; every crossing between our code and the world (each commit and each call of a vendor, before and after)
is a point to crash at. It is run again with a crash at each point; what the restarted process does then has points
of its own, and it is run again with a second crash at each of those. Crossings at which the log, the books of both
vendors and the call are the same as at an earlier one are that same point, only later: they are tried once.

    uv run python -m tests.proof.crash_points             what the test suite runs, in memory
    uv run python -m tests.proof.crash_points --full      the whole product: in memory, on SQLite and on PostgreSQL
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain, islice

from tests.proof.explorations import SUITE, Exploration, everything
from tests.proof.invariants import violations
from tests.proof.scenarios import Scenario, ScriptedPlan, command_of
from tests.proof.stores import Store, real_stores
from tests.proof.world.world import World

HORIZON_S = 4 * 3_600.0

CALLS = (
    "requested",  # a commit is called after what it says first about an order
    "charge",
    "payment-charged",
    "payment-declined",
    "payment-expired",
    "payment-failed",
    "payment-held",
    "payment-not-sent",
    "payment-outcome-unknown",
    "find",  # at the gateway, by invoice number
    "details",
    "hold-decline-requested",
    "decline",
    "void-requested",
    "void",
    "payment-voided",
    "refund-requested",
    "refund",
    "payment-refunded",
    "send",
    "email-sent",
    "email-attempted",
    "search",  # at the mail provider
)
POINTS = {f"{side} {call}" for call in CALLS for side in ("before", "after")}


@dataclass
class Report:
    """What an exploration came to. `points`: the crossings that were there; `hit`: those where a process was killed."""

    schedules: int = 0
    broken: list[str] = field(default_factory=list)
    points: set[str] = field(default_factory=set)
    hit: set[str] = field(default_factory=set)

    def add(self, other: Report) -> None:
        self.schedules += other.schedules
        self.broken += other.broken
        self.points |= other.points
        self.hit |= other.hit

    def __str__(self) -> str:
        hit = f"{len(self.hit & POINTS)}/{len(POINTS)} points hit"
        return f"{len(self.broken)} violations in {self.schedules:,} schedules, {hit}"


async def _second_request(world: World, scenario: Scenario, name: str) -> None:
    later_s = {"same-thing-later": 45.0, "same-key-later": 6.0}.get(scenario.second, 0.0)
    await world.loop.sleep(later_s)
    await world.ask(name, command_of("req_b", scenario))


def run(scenario: Scenario, kill_at: tuple[int, ...], store: Store) -> World:
    """One schedule, from the first request until nothing is left to be done."""
    plan = ScriptedPlan(scenario, kill_at)
    world = store.world(plan)
    plan.now_s = world.loop.time
    world.trace = []
    world.start("P1")
    world.start_task(world.ask("P1", command_of("req_a", scenario)))
    if scenario.second != "none":
        world.start("P2")
        world.start_task(_second_request(world, scenario, "P2"))
    world.keep_settling()
    world.run(HORIZON_S, _Quiet(world))
    return world


@dataclass
class _Quiet:
    """Nothing has been left to do over two rounds of the reconciler."""

    world: World
    since_s: float | None = None

    def __call__(self) -> bool:
        if not self.world.quiet:
            self.since_s = None
        elif self.since_s is None:
            self.since_s = self.world.loop.now_s
        return self.since_s is not None and self.world.loop.now_s > self.since_s + 2.2 * self.world.reconcile_s


def explore(scenario: Scenario, store: Store, *, crashes: int, stop_at_first: bool = False) -> Report:
    """The scenario without a crash, and with every choice of up to so many crashes."""
    report = Report()
    _explore(scenario, (), store, crashes, report, stop_at_first)
    return report


def _explore(
    scenario: Scenario, kill_at: tuple[int, ...], store: Store, crashes: int, report: Report, stop_at_first: bool
) -> None:
    world = run(scenario, kill_at, store)
    report.schedules += 1
    broken = violations(world)
    if broken:
        where = ", then ".join(_point(world, number) for number in kill_at) or "nowhere"
        report.broken.append(f"{scenario}; killed {where}: " + "; ".join(broken))
    report.hit |= {_point(world, number) for number in kill_at}
    if crashes and not (broken and stop_at_first):
        for number in _distinct(world, after=kill_at[-1] if kill_at else -1):
            report.points.add(_point(world, number))
            _explore(scenario, (*kill_at, number), store, crashes - 1, report, stop_at_first)
            if report.broken and stop_at_first:
                return


def _point(world: World, number: int) -> str:
    assert world.trace is not None
    what, side, *_ = world.trace[number]
    return f"{side} {what}"


def _distinct(world: World, after: int) -> Iterator[int]:
    assert world.trace is not None
    seen = set()
    for number, crossing in enumerate(world.trace):
        if number > after and crossing not in seen:
            seen.add(crossing)
            yield number


def explore_all(explorations: Iterable[Exploration], store: Store, *, progress: bool = False) -> Report:
    report = Report()
    began = time.monotonic()
    for number, (scenario, crashes) in enumerate(explorations, 1):
        report.add(explore(scenario, store, crashes=crashes))
        if progress and number % 25 == 0:
            sys.stderr.write(f"{time.monotonic() - began:8.0f} s  {number} scenarios: {report}" + "\n")
    return report


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.proof.crash_points", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument(
        "--full", action="store_true", help="the whole product, in memory and on both databases (hours)"
    )
    parser.add_argument("--part", default="1/1", help="a part of the scenarios: 3/100 is the third of a hundred")
    wanted = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)  # workers log every fault that they meet
    this, parts = (int(text) for text in wanted.part.split("/"))
    with ExitStack() as stack:
        stores = {"in memory": Store()}
        if wanted.full:
            stores |= real_stores(stack)
        broken = 0
        for name, store in stores.items():
            chosen = everything() if wanted.full else chain.from_iterable(part() for part in SUITE.values())
            chosen = islice(chosen, this - 1, None, parts)
            report = explore_all(chosen, store, progress=True)
            sys.stdout.write("\n".join([f"{name}: {report}", *report.broken, ""]))
            broken += len(report.broken)
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())

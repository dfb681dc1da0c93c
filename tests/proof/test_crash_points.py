"""A crash at every commit and every call of a submit, under every fault: nothing is paid twice and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import pytest

from tests.proof.crash_points import POINTS, Report, explore_all, run
from tests.proof.explorations import SUITE, pairs
from tests.proof.scenarios import Scenario
from tests.proof.stores import Store
from tests.proof.summary import CRASH_POINTS, DATABASES
from tests.proof.world.faults import ChargeFault
from tests.proof.world.recorders import real_store

Tell = Callable[[str, object], None]

CHUNKS = {
    "gateway": 8,
    "second request": 6,
    "database": 8,
    "nothing to pay": 6,
    "both": 3,
    "lookups": 1,
    "corrections": 2,
}
PARTS = [(name, chunk) for name, chunks in CHUNKS.items() for chunk in range(chunks)]


def told(report: Report, **more: object) -> dict[str, object]:
    """The numbers for the summary."""
    return {
        "schedules": report.schedules,
        "broken": len(report.broken),
        "points": sorted(POINTS),
        "hit": sorted(report.hit),
        **more,
    }


@pytest.mark.parametrize(("part", "chunk"), PARTS)
def test_no_crash_breaks_anything(part: str, chunk: int, record_property: Tell) -> None:
    report = explore_all(islice(SUITE[part](), chunk, None, CHUNKS[part]), Store())

    record_property(CRASH_POINTS, told(report))
    assert not report.broken, "\n".join(report.broken[:3])
    assert report.hit == report.points


def test_every_part_is_run() -> None:
    assert CHUNKS.keys() == SUITE.keys()


def test_the_scenarios_reach_every_point_there_is() -> None:
    reached = set()
    for charge in ChargeFault:
        trace = run(Scenario(charge, promotion="ten-percent"), (), Store()).trace
        assert trace is not None
        reached |= {f"{side} {what}" for what, side, *_ in trace}
    after_a_crash = {f"{side} {what}" for what in ("search", "email-attempted") for side in ("before", "after")}

    assert reached | after_a_crash == POINTS


@pytest.mark.parametrize("chunk", range(2))
def test_no_crash_breaks_anything_on_a_real_database(chunk: int, database_url: str, record_property: Tell) -> None:
    with real_store(database_url) as real:
        report = explore_all(islice(pairs(), chunk, None, 2), Store(real))

    kind = "SQLite" if database_url.startswith("sqlite") else "PostgreSQL"
    record_property(DATABASES, told(report, database=kind))
    assert not report.broken, "\n".join(report.broken[:3])
    assert report.hit == report.points

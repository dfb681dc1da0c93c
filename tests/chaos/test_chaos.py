"""A short run of the whole: kills, pauses, crashes and a bad network, and then not one broken promise."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.chaos.proxy import Fault
from tests.chaos.report import story
from tests.chaos.run import TROUBLES, Plan, run
from tests.databases import existing_server

SEED = 1
SECONDS = 4.0


@pytest.mark.skipif(existing_server() is not None, reason="crashes a server, which must be our own")
def test_no_promise_is_broken_by_kills_pauses_crashes_and_a_bad_network(tmp_path: Path) -> None:
    report, evidence = asyncio.run(run(Plan(SECONDS, SEED, tmp_path / "logs", pauses_s=(0.1, 0.4))))

    assert not report.violations, "\n".join(line for each in report.violations for line in story(evidence, each))
    assert set(report.troubles) == set(TROUBLES)
    assert {fault for fault in Fault if any(name.endswith(f": {fault}") for name in report.faults)} == set(Fault)
    assert report.kept_charges > 0
    assert report.emails >= report.orders["submitted"]

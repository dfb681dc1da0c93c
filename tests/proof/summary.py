"""What the proof came to, at the end of the test run: its tests report numbers, which are added up here.

They travel as properties of the test reports, so that this works with any number of worker processes.
"""

from __future__ import annotations

from typing import Any

import pytest

CRASH_POINTS = "proof: crash points"
DATABASES = "proof: crash points on databases"
MUTANTS = "proof: mutants"
SIMULATION = "proof: simulation"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A hook of pytest: one line for each part of the proof that was run."""
    lines = [line for line in (_crash_points(terminalreporter), _simulation(terminalreporter)) if line]
    databases = _told(terminalreporter, DATABASES)
    for kind in sorted({told["database"] for told in databases}):
        lines.append(f"on {kind}: " + _points([told for told in databases if told["database"] == kind]))
    if mutants := _told(terminalreporter, MUTANTS):
        lines.append(f"deliberate defects: caught {sum(told['caught'] for told in mutants)}/{len(mutants)}")
    if lines:
        terminalreporter.section("proof: never two kept charges, never a lost order")
        for line in lines:
            terminalreporter.line(line)


def _told(reporter: pytest.TerminalReporter, name: str) -> list[dict[str, Any]]:
    reports = [report for key in ("passed", "failed") for report in reporter.stats.get(key, ())]
    return [value for report in reports for key, value in getattr(report, "user_properties", ()) if key == name]


def _crash_points(reporter: pytest.TerminalReporter) -> str:
    told = _told(reporter, CRASH_POINTS)
    return f"crash points: {_points(told)}" if told else ""


def _points(told: list[dict[str, Any]]) -> str:
    broken, schedules = (sum(one[key] for one in told) for key in ("broken", "schedules"))
    points, hit = ({point for one in told for point in one[key]} for key in ("points", "hit"))
    return f"{broken} violations in {schedules:,} schedules, {len(hit & points)}/{len(points)} points hit"


def _simulation(reporter: pytest.TerminalReporter) -> str:
    told = _told(reporter, SIMULATION)
    if not told:
        return ""
    broken, orders, seconds, twice = (sum(one[key] for one in told) for key in ("broken", "orders", "seconds", "twice"))
    per_s = orders / max(seconds, 1e-9)
    return (
        f"simulation: {broken} violations in {orders:,} orders, {per_s:,.0f} orders/s of CPU, "
        f"{twice} orders' emails sent more than once"
    )

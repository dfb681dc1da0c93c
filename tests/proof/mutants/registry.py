"""What a mutant is, and whether it is caught."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from tests.proof.crash_points import explore
from tests.proof.scenarios import DatabaseFault, Scenario
from tests.proof.stores import Store
from tests.proof.world.faults import ChargeFault, InsertFault

Patch = Callable[[], AbstractContextManager[Any]]


@dataclass(frozen=True)
class Mutant:
    """A defect by its name, and the scenarios to look at, with up to so many crashes."""

    name: str
    patch: Patch
    scenarios: tuple[Scenario, ...]
    crashes: int


MUTANTS: list[Mutant] = []


def mutant(*scenarios: Scenario, crashes: int = 1) -> Callable[[Callable[[], Iterator[None]]], Patch]:
    """Register a defect with the scenarios that are enough to catch it."""

    def register(patches: Callable[[], Iterator[None]]) -> Patch:
        manager = contextmanager(patches)
        MUTANTS.append(Mutant(patches.__name__.replace("_", " "), manager, scenarios, crashes))
        return manager

    return register


def caught_by(found: Mutant) -> str | None:
    """The first violation that the mutant leads to, or None: then it is not caught."""
    with found.patch():
        for scenario in found.scenarios:
            report = explore(scenario, Store(), crashes=found.crashes, stop_at_first=True)
            if report.broken:
                return report.broken[0]
    return None


PAID = Scenario(promotion="ten-percent")
TIME_OUT = Scenario(ChargeFault.TIMEOUT_LANDED, promotion="ten-percent")
LATE = Scenario(ChargeFault.TIMEOUT_LATE, promotion="ten-percent")
TOO_LATE = Scenario(ChargeFault.TIMEOUT_TOO_LATE)
SLOW_INTENT = Scenario(database=DatabaseFault(InsertFault.SLOW, 1))

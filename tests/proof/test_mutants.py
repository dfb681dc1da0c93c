"""Every deliberate defect is caught by the proof."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.proof.crash_points import explore
from tests.proof.mutants import MUTANTS, Mutant, caught_by
from tests.proof.stores import Store
from tests.proof.summary import MUTANTS as PROPERTY


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_defect_is_caught(mutant: Mutant, record_property: Callable[[str, object], None]) -> None:
    violation = caught_by(mutant)

    record_property(PROPERTY, {"caught": violation is not None})
    assert violation is not None, f"nothing noticed that {mutant.name}"


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_code_without_the_defect_passes_the_same_scenarios(mutant: Mutant) -> None:
    for scenario in mutant.scenarios:
        assert explore(scenario, Store(), crashes=0).broken == []

"""Thousands of orders at once while everything goes wrong: nothing is paid twice and nothing is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.proof.invariants import violations
from tests.proof.mutants.corrections import nobody_reconciles
from tests.proof.simulate import must_be_seen, run_many, simulate, story
from tests.proof.summary import SIMULATION

ORDERS = 5_000  # each; all together at least 20,000


@pytest.mark.parametrize("first_seed", [1, 1_001, 2_001, 3_001])
def test_no_order_is_paid_twice_or_lost(first_seed: int, record_property: Callable[[str, object], None]) -> None:
    tally = run_many(first_seed, ORDERS)

    numbers = {"broken": len(tally.broken), "orders": tally.orders, "seconds": tally.seconds}
    record_property(SIMULATION, {**numbers, "twice": tally.mails_twice})
    assert not tally.broken, story(next(iter(tally.broken)))
    assert [what for what in must_be_seen() if not tally.seen[what]] == []


def test_a_seed_gives_the_same_bytes_and_the_same_story_again() -> None:
    first = simulate("7")

    assert simulate("7").digest() == first.digest()
    assert simulate("8").digest() != first.digest()


def test_a_seed_gives_the_same_in_another_process() -> None:
    command = [sys.executable, "-m", "tests.proof.simulate", "--digest", "--seed", "7"]
    environment = {**os.environ, "PYTHONHASHSEED": "4711"}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)

    assert answer.stdout.strip() == simulate("7").digest()


def test_a_broken_seed_tells_its_story() -> None:
    with nobody_reconciles():
        broken = violations(simulate("7"))
        told = story("7")

    assert any("is kept" in violation for violation in broken)
    assert broken[-1] in told
    assert "charges" in told

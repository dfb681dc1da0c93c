"""Which scenarios are explored, and with how many crashes: what the test suite runs, and the whole product."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from tests.proof.scenarios import DATABASE_FAULTS, POLICY, PROMOTIONS, SECONDS, Scenario
from tests.proof.world.faults import ChargeFault, CorrectionFault

TAKEN_BACK = (
    ChargeFault.PARTIAL,
    ChargeFault.TIMEOUT_PARTIAL,
    ChargeFault.TIMEOUT_TOO_LATE,
    ChargeFault.TIMEOUT_STRANGER,
    ChargeFault.ECHO_HIDDEN,
    ChargeFault.HELD_UNDECIDED,
)
Exploration = tuple[Scenario, int]  # with so many crashes


def of_every_gateway_fault() -> Iterator[Exploration]:
    """Two crashes at every pair of points, under every fault of the gateway."""
    return ((Scenario(charge, promotion="ten-percent"), 2) for charge in ChargeFault)


def of_every_second_request() -> Iterator[Exploration]:
    """One crash at every point, while somebody asks for the same thing or repeats the same key."""
    for charge, second in product(ChargeFault, SECONDS[1:]):
        yield Scenario(charge, second=second, promotion="ten-percent"), 1


def of_every_database_fault() -> Iterator[Exploration]:
    """One crash at every point, under every pair of faults of gateway and database."""
    for charge, fault in product(ChargeFault, DATABASE_FAULTS[1:]):
        yield Scenario(charge, fault, promotion="ten-percent"), 1


def of_nothing_to_pay() -> Iterator[Exploration]:
    """Two crashes, where the promotion leaves nothing to pay."""
    for second, fault in product(SECONDS, DATABASE_FAULTS):
        yield Scenario(database=fault, second=second, promotion="everything"), 2


def of_both_at_once() -> Iterator[Exploration]:
    """No crash: a second request under every pair of faults, without a promotion."""
    for charge, second, fault in product(ChargeFault, SECONDS[1:], DATABASE_FAULTS[1:]):
        yield Scenario(charge, fault, second), 0


def of_failing_lookups() -> Iterator[Exploration]:
    """One crash at every point, while the gateway cannot be asked until after the attempt could have expired."""
    for charge in ChargeFault:
        yield Scenario(charge, promotion="ten-percent", lookups_fail_s=POLICY.payment_expiry_s + 100.0), 1


def of_failing_corrections() -> Iterator[Exploration]:
    """Two crashes at every pair of points, where money has to be taken back and the first try fails."""
    for charge, fault in product(TAKEN_BACK, CorrectionFault):
        yield Scenario(charge, promotion="ten-percent", correction=fault), 1


SUITE = {
    "gateway": of_every_gateway_fault,
    "second request": of_every_second_request,
    "database": of_every_database_fault,
    "nothing to pay": of_nothing_to_pay,
    "both": of_both_at_once,
    "lookups": of_failing_lookups,
    "corrections": of_failing_corrections,
}


def pairs() -> Iterator[Exploration]:
    """Every pair of a point and a fault, for the real databases."""
    yield from ((Scenario(charge, promotion="ten-percent"), 1) for charge in ChargeFault)
    yield from ((Scenario(database=fault, promotion="ten-percent"), 1) for fault in DATABASE_FAULTS[1:])


def everything() -> Iterator[Exploration]:
    """The whole product, with two crashes everywhere."""
    for charge, fault, second, promotion in product(ChargeFault, DATABASE_FAULTS, SECONDS, PROMOTIONS):
        yield Scenario(charge, fault, second, promotion), 2

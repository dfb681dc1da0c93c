"""What may be concluded from what the gateway knows of an attempt, and what may not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from application.payment_lookup import CLOCK_SKEW, Finding, FoundCharge, FoundHeld, FoundNo, NotFound, Unclear, look_up
from application.ports import LookupFailed, OutcomeUnknown, TransactionState
from tests.application.stand_ins import NOW
from tests.application.world import World, a_command
from tests.helpers import run

KEPT = [TransactionState.CAPTURED, TransactionState.SETTLED]
NO = [TransactionState.DECLINED, TransactionState.VOIDED, TransactionState.EXPIRED, TransactionState.FAILED]
NOT_FINAL = [
    TransactionState.AUTHORIZED_ONLY,
    TransactionState.RETURNED,
    TransactionState.UNSETTLED_ERROR,
    TransactionState.UNKNOWN,
]


def an_open_attempt() -> World:
    world = World()
    world.gateway.outcomes.append(OutcomeUnknown("time-out"))
    world.submit(a_command())
    return world


def looked_up(world: World) -> Finding:
    payment = world.order(_order_id(world)).payment
    assert payment is not None
    return run(look_up(world.gateway, payment))


def _order_id(world: World) -> Any:
    (first, *_) = run(world.recorder.notifications(1, 1))
    return first.originator_id


@pytest.mark.parametrize("state", KEPT)
def test_a_captured_or_settled_transaction_of_the_attempt_is_its_charge(state: TransactionState) -> None:
    world = an_open_attempt()
    world.gateway_knows("60001", state=state)

    finding = looked_up(world)

    assert isinstance(finding, FoundCharge)
    assert (finding.transaction_id, finding.authorization_code) == ("60001", "000123")


@pytest.mark.parametrize("state", NO)
def test_a_transaction_that_kept_no_money_is_a_no(state: TransactionState) -> None:
    world = an_open_attempt()
    world.gateway_knows("60001", state=state)

    finding = looked_up(world)

    assert isinstance(finding, FoundNo)
    assert finding.state is state


def test_a_held_transaction_is_held() -> None:
    world = an_open_attempt()
    world.gateway_knows("60001", state=TransactionState.HELD)

    assert isinstance(looked_up(world), FoundHeld)


@pytest.mark.parametrize("state", NOT_FINAL)
def test_nothing_is_concluded_from_a_status_that_is_not_final(state: TransactionState) -> None:
    world = an_open_attempt()
    world.gateway_knows("60001", state=state)

    assert looked_up(world) == Unclear(f"status-{state}")


@pytest.mark.parametrize(
    "changes",
    [
        {"invoice_number": "INV-OF-ANOTHER-ORDER"},
        {"invoice_number": None},
        {"amount_cents": 18_501},
        {"payment_profile_id": "800000002"},
        {"payment_profile_id": None, "last4": "9999"},
    ],
    ids=str,
)
def test_a_transaction_whose_details_do_not_agree_is_not_taken_for_the_charge(changes: dict[str, Any]) -> None:
    world = an_open_attempt()
    world.gateway_knows("60001", **changes)

    assert looked_up(world) == Unclear("details-differ")


@pytest.mark.parametrize("last4", ["1111", None])
def test_without_a_profile_the_last_digits_must_not_contradict(last4: str | None) -> None:
    world = an_open_attempt()
    world.gateway_knows("60001", payment_profile_id=None, last4=last4)

    assert isinstance(looked_up(world), FoundCharge)


def test_a_complete_list_without_the_invoice_is_not_found() -> None:
    assert looked_up(an_open_attempt()) == NotFound()


def test_a_refund_that_carries_the_invoice_is_no_charge_and_is_not_even_looked_at() -> None:
    world = an_open_attempt()
    world.gateway_knows("60009", state=TransactionState.REFUND)

    assert looked_up(world) == NotFound()
    assert "gateway.details" not in world.calls


def test_a_lookup_that_failed_concludes_nothing() -> None:
    world = an_open_attempt()
    world.gateway_knows("60001")
    world.gateway.lookup_failure = LookupFailed("time-out")

    assert looked_up(world) == Unclear("time-out")


def test_a_transaction_that_is_listed_but_has_no_details_concludes_nothing() -> None:
    world = an_open_attempt()
    world.gateway_knows("60001")
    listed = dict(world.gateway.known)

    async def details(transaction_id: str) -> None:
        return None

    world.gateway.known = listed
    world.gateway.details = details  # type: ignore[method-assign]

    assert looked_up(world) == Unclear("listed-but-no-details")


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([TransactionState.DECLINED, TransactionState.HELD, TransactionState.UNKNOWN], FoundCharge),
        ([TransactionState.VOIDED], FoundCharge),
    ],
)
def test_a_kept_charge_outweighs_every_other_row(others: list[TransactionState], expected: type[Finding]) -> None:
    world = an_open_attempt()
    for number, state in enumerate(others):
        world.gateway_knows(f"6000{number}", state=state)
    world.gateway_knows("60009", state=TransactionState.CAPTURED)

    assert isinstance(looked_up(world), expected)


def test_what_is_unclear_outweighs_a_no() -> None:
    world = an_open_attempt()
    world.gateway_knows("60001", state=TransactionState.DECLINED)
    world.gateway_knows("60002", state=TransactionState.UNKNOWN)

    assert isinstance(looked_up(world), Unclear)


def test_it_is_asked_for_by_invoice_and_customer_since_before_the_attempt() -> None:
    world = an_open_attempt()
    world.clock.advance(1000)

    looked_up(world)

    assert world.gateway.lookups == [("INV00000000000000001", "900000001", NOW - CLOCK_SKEW)]
    assert timedelta(minutes=30) <= CLOCK_SKEW

"""Two requests at once: who loses the race for a version decides again on what the winner left behind."""

from __future__ import annotations

import asyncio

from application.commands import Outcome, SubmitOrder
from application.ports import Declined, GatewayCodes
from tests.application.stand_ins import after, written
from tests.application.world import (
    GIFT100,
    INTENT,
    OTHER_CARD,
    PAID,
    REFUSED,
    SPRING10,
    World,
    a_command,
    succeeded,
)
from tests.helpers import run

DECLINED = Declined("declined-payment", GatewayCodes("2", "2", "I00001"), "60001")


def raced(world: World, command: SubmitOrder, rival: SubmitOrder) -> tuple[Outcome, Outcome]:
    """The rival goes all the way between the command's load and its insert."""
    rivals: list[Outcome] = []

    async def rival_goes_first() -> None:
        rivals.append(await world.handler(rival))

    world.stores(after(rival_goes_first))
    outcome = world.submit(command)
    return outcome, rivals[0]


def test_a_rival_that_took_the_window_makes_it_a_duplicate_of_the_rivals_order() -> None:
    world = World()

    outcome, rival = raced(world, a_command(), a_command(payment_method=OTHER_CARD))

    assert succeeded(rival)
    assert (outcome.status, outcome.order_id) == ("duplicate-payment", rival.order_id)
    assert outcome.retry_after_seconds == 120
    assert world.stored == [INTENT, PAID, ("order.email-sent",), REFUSED]
    assert len(world.gateway.charges) == 1


def test_a_rival_that_took_the_promotion_for_another_house_makes_it_expended() -> None:
    world = World()

    outcome, rival = raced(world, a_command(1, SPRING10), a_command(2, SPRING10))

    assert succeeded(rival)
    assert (outcome.status, outcome.param) == ("promotion-expended", "promotion_code")
    assert world.redemption().held_by == rival.order_id
    assert len(world.gateway.charges) == 1


def test_a_rival_that_took_a_promotion_with_nothing_to_pay_makes_it_expended() -> None:
    world = World()

    outcome, rival = raced(world, a_command(1, GIFT100), a_command(2, GIFT100))

    assert (succeeded(rival), outcome.status) == (True, "promotion-expended")
    assert world.events_of(outcome.order_id) == ["Requested", "Refused"]


def test_a_rival_that_was_declined_leaves_the_way_free() -> None:
    world = World()
    world.gateway.outcomes.append(DECLINED)

    outcome, rival = raced(world, a_command(promotion=SPRING10), a_command(promotion=SPRING10))

    assert (rival.status, succeeded(outcome)) == ("declined-payment", True)
    assert world.redemption().held_by == outcome.order_id


def test_a_rival_for_another_house_without_a_promotion_is_no_rival() -> None:
    world = World()

    outcome, rival = raced(world, a_command(1), a_command(2))

    assert (succeeded(outcome), succeeded(rival)) == (True, True)
    assert len(world.gateway.charges) == 2


def test_a_race_lost_after_the_charge_stores_the_outcome_on_the_fresh_state() -> None:
    world = World()

    async def another_order_is_refused() -> None:
        assert (await world.handler(a_command())).status == "duplicate-payment"

    world.stores(written, after(another_order_is_refused))

    outcome = world.submit(a_command())

    assert succeeded(outcome)
    assert world.events_of(outcome.order_id).count("PaymentCharged") == 1


def test_of_many_at_once_for_one_thing_one_is_charged_and_the_others_are_its_duplicates() -> None:
    world = World()

    async def story() -> list[Outcome]:
        return await asyncio.gather(*(world.handler(a_command()) for _ in range(20)))

    outcomes = run(story())

    (winner,) = [outcome for outcome in outcomes if succeeded(outcome)]
    losers = [(outcome.status, outcome.order_id) for outcome in outcomes if outcome is not winner]
    assert losers == [("duplicate-payment", winner.order_id)] * 19
    assert len(world.gateway.charges) == 1
    assert len(world.mailer.sent) == 1


def test_of_many_houses_at_once_with_one_promotion_one_redeems_it() -> None:
    world = World()

    async def story() -> list[Outcome]:
        return await asyncio.gather(*(world.handler(a_command(house, SPRING10)) for house in range(20)))

    statuses = sorted(outcome.status for outcome in run(story()))

    assert statuses == ["action-successful", *["promotion-expended"] * 19]
    assert [charge.amount_cents for charge in world.gateway.charges] == [16_650]

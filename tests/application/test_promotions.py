"""The history of promotion terms: what an import of the directory writes, and how a requester's one use is guarded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from application.event_log import MAX_RACES, StoreUnavailable
from application.ports import Declined, GatewayCodes, OutcomeUnknown, PromotionRecord
from application.promotions import define_promotions
from domain.promotion import Promotion
from tests.application.stand_ins import NOW, after, conflict
from tests.application.world import ADA, SHOP, SPRING10, World, a_command, succeeded
from tests.helpers import run

AGENT25 = replace(
    SPRING10, promotion_id=UUID(int=502), code="AGENT25", percent_off=None, amount_off_cents=2500, designation="agent"
)


async def imported(
    world: World, wanted: Sequence[PromotionRecord], known: Sequence[PromotionRecord] = ()
) -> dict[UUID, int]:
    return await define_promotions(
        world.events, world.clock, wanted=wanted, known=known, actor="operator:import", correlation_id="import_1"
    )


def terms_in_the_log(world: World, record: PromotionRecord = SPRING10) -> Promotion:
    return run(world.events.load((Promotion, record.promotion_id)))[0]


# --- the import -------------------------------------------------------------------------------------------------------


def test_new_promotions_are_created_and_each_streams_version_is_told() -> None:
    world = World()

    versions = run(imported(world, [SPRING10, AGENT25]))

    assert versions == {SPRING10.promotion_id: 1, AGENT25.promotion_id: 1}
    assert world.stored == [("promotion.created",), ("promotion.created",)]


def test_the_same_terms_again_record_nothing() -> None:
    world = World()
    run(imported(world, [SPRING10]))

    assert run(imported(world, [SPRING10], [SPRING10])) == {SPRING10.promotion_id: 1}
    assert len(world.stored) == 1


def test_changed_terms_are_a_change_from_now_on() -> None:
    world = World()
    run(imported(world, [SPRING10]))
    longer = replace(SPRING10, percent_off=20, ends_at=NOW + timedelta(days=7))

    assert run(imported(world, [longer], [SPRING10])) == {SPRING10.promotion_id: 2}
    terms = terms_in_the_log(world).terms
    assert terms is not None
    assert (terms.percent_off, terms.ends_at, terms.version) == (20, longer.ends_at, 2)


@pytest.mark.parametrize("wanted", [[], [replace(SPRING10, active=False)]])
def test_a_promotion_that_is_missing_or_inactive_is_deactivated_once(wanted: list[PromotionRecord]) -> None:
    world = World()
    run(imported(world, [SPRING10]))

    run(imported(world, wanted, [SPRING10]))
    run(imported(world, wanted, [replace(SPRING10, active=False)]))

    assert world.stored == [("promotion.created",), ("promotion.deactivated",)]
    assert not terms_in_the_log(world).active


def test_a_promotion_that_comes_back_is_changed_to_the_terms_it_has_then() -> None:
    world = World()
    run(imported(world, [SPRING10]))
    run(imported(world, [], [SPRING10]))

    run(imported(world, [SPRING10], [SPRING10]))

    assert [topic for (topic,) in world.stored][-1] == "promotion.changed"
    assert terms_in_the_log(world).active


def test_a_race_with_another_import_is_decided_again() -> None:
    world = World()

    async def another_import() -> None:
        await imported(world, [SPRING10])

    world.stores(after(another_import))

    assert run(imported(world, [SPRING10])) == {SPRING10.promotion_id: 1}
    assert world.stored == [("promotion.created",)]


def test_a_race_lost_again_and_again_gives_up() -> None:
    world = World()
    world.stores(*[conflict] * MAX_RACES)

    with pytest.raises(StoreUnavailable):
        run(imported(world, [SPRING10]))


# --- one use per user -------------------------------------------------------------------------------------------------


def test_a_redeemed_promotion_is_expended_for_its_user_for_ever() -> None:
    world = World()
    world.submit(a_command(1, SPRING10))
    world.clock.advance(365 * 86_400)

    again = world.submit(a_command(2, replace(SPRING10, percent_off=20, version=2)))

    assert (again.status, again.param) == ("promotion-expended", "promotion_code")


def test_it_is_the_promotion_that_is_used_once_whatever_code_was_typed() -> None:
    world = World()
    world.submit(a_command(1, SPRING10))

    again = world.submit(a_command(2, replace(SPRING10, code="RENAMED"), promotion_code="renamed"))

    assert again.status == "promotion-expended"


def test_another_user_may_still_use_it() -> None:
    world = World()
    world.submit(a_command(1, SPRING10))

    assert succeeded(world.submit(a_command(2, SPRING10, requester=msgspec.structs.replace(ADA, id="user:2"))))


def test_an_application_uses_it_once_for_each_client() -> None:
    world = World()
    other_client = replace(a_command().client, id=12)

    first = world.submit(a_command(1, SPRING10, requester=SHOP))
    second = world.submit(a_command(2, SPRING10, requester=SHOP))
    third = world.submit(a_command(3, SPRING10, requester=SHOP, client=other_client))

    assert (succeeded(first), second.status, succeeded(third)) == (True, "promotion-expended", True)


def test_an_open_outcome_keeps_it_reserved_and_a_definite_no_gives_it_back() -> None:
    world = World()
    world.gateway.outcomes.append(OutcomeUnknown("time-out"))
    first = world.submit(a_command(1, SPRING10))
    meanwhile = world.submit(a_command(2, SPRING10))
    assert first.order_id is not None
    run(world.expire(first.order_id))

    assert meanwhile.status == "promotion-expended"
    assert succeeded(world.submit(a_command(2, SPRING10)))


def test_a_declined_order_has_not_used_it() -> None:
    world = World()
    world.gateway.outcomes.append(Declined("declined-payment", GatewayCodes("2", "2", "I00001"), "60001"))
    world.submit(a_command(1, SPRING10))

    assert succeeded(world.submit(a_command(2, SPRING10)))


@pytest.mark.parametrize(
    ("record", "requester"),
    [
        (replace(SPRING10, active=False), ADA),
        (replace(SPRING10, starts_at=NOW + timedelta(seconds=1)), ADA),
        (replace(SPRING10, ends_at=NOW), ADA),
        (AGENT25, msgspec.structs.replace(ADA, designation="manager")),
        (AGENT25, SHOP),
    ],
)
def test_a_promotion_that_does_not_hold_for_the_requester_now_is_invalid(
    record: PromotionRecord, requester: object
) -> None:
    world = World()

    answer = world.submit(a_command(1, record, requester=requester))

    assert (answer.status, answer.param) == ("invalid-promotion", "promotion_code")
    assert world.calls == []

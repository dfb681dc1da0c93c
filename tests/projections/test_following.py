"""The projector: nothing is applied twice, nothing is left out, and one event that is broken stops nobody else."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

import pytest
import sqlalchemy as sa

from api.read_models import LEASE, MODELS, ORDERS, REVENUE, require_readable
from domain.order import Order
from domain.stream import Stream
from projections import following, leases, projector
from projections.model import Changes
from projections.orders import Orders, orders
from projections.revenue import revenue
from projections.topics import UnknownTopics
from tests.application.audit.stories import restore
from tests.projections.histories import ENDINGS, Wish, history, order_events, promotion_events
from tests.projections.world import World, another

ALL_ENDINGS = [Wish(ending, promotion=number % 3 or None) for number, ending in enumerate(ENDINGS)]
POISON = UUID(int=(1 << 80) + 2)


def refuse_charges_of(monkeypatch: pytest.MonkeyPatch, order_id: UUID) -> None:
    """Given a handler that fails on one event of one order."""
    fold = Orders.fold

    def failing(self: Orders, event: Stream.Event, position: int, changes: Changes) -> None:
        if is_charge_of(event, order_id):
            raise KeyError("no such thing")
        fold(self, event, position, changes)

    monkeypatch.setattr(Orders, "fold", failing)


def is_charge_of(event: Stream.Event, order_id: UUID) -> bool:
    return event.originator_id == order_id and isinstance(event, Order.PaymentCharged)


def states(world: World) -> dict[UUID, str]:
    return {row["order_id"]: row["state"] for row in world.rows(orders)}


def test_views_that_followed_in_small_steps_equal_a_fresh_fold(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "FRONT", 7)
    world.append(promotion_events() + history(ALL_ENDINGS))
    world.follow()

    assert {world.position(model) for model in MODELS} == {len(world.log)}
    assert world.same_as_a_fresh_fold()


def test_a_restart_goes_on_where_the_last_run_stopped(world: World) -> None:
    world.append(history([Wish(), Wish("declined")]))
    world.follow()
    world.append(history([Wish("voided")], first=3))
    with another(world, "second") as second:
        second.follow()

    assert sorted(states(world).values()) == ["declined", "submitted", "voided"]
    assert world.same_as_a_fresh_fold()


def test_two_runners_at_once_apply_nothing_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "FRONT", 5)
    world.append(history([Wish(promotion=0, days=day % 3) for day in range(20)]))
    with another(world, "second") as second, ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(runner.follow) for runner in (world, second)]:
            done.result()

    assert sum(row["charges"] for row in world.rows(revenue) if row["dimension"] == "day") == 20
    assert world.same_as_a_fresh_fold()


def test_a_broken_event_sets_its_order_aside_and_the_others_go_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.append(history([Wish(), Wish(), Wish()]))
    with monkeypatch.context() as broken:
        refuse_charges_of(broken, POISON)
        world.follow()
        world.append(history([Wish()], first=4))
        world.follow()

    assert sorted(states(world).values()) == ["payment_open", "submitted", "submitted", "submitted"]
    letters = world.parts.dead_letters.waiting()
    assert [(letter.projection, letter.stream_id) for letter in letters] == [("orders", POISON)] * 3
    assert [letter.error is None for letter in letters] == [False, True, True]
    assert world.parts.dead_letters.waiting(limit=2) == letters[:2]
    assert world.parts.dead_letters.count() == 3
    assert letters[0].error == f"NotFolded: position {letters[0].position} " + (
        f"(order.payment-charged.v1, stream {POISON}): KeyError: 'no such thing'"
    )
    assert world.position(ORDERS) == world.position(REVENUE) == len(world.log)


@pytest.mark.parametrize("state", [b'{"actor":"\xff"}', b'{"actor":' + b"[" * 5_000, b"{"])
def test_a_state_that_cannot_be_read_sets_its_order_aside(world: World, state: bytes) -> None:
    world.append(history([Wish(), Wish(), Wish()]))
    ((position, _),) = [row for row in enumerate(world.log, 1) if is_charge_of(row[1], POISON)]
    restore(world.settings.database_url, position, state)
    world.follow()

    assert sorted(states(world).values()) == ["payment_open", "submitted", "submitted"]
    assert world.position(ORDERS) == len(world.log)


def test_what_was_set_aside_is_folded_when_it_is_tried_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.append(history([Wish(), Wish(), Wish()]))
    with monkeypatch.context() as broken:
        refuse_charges_of(broken, POISON)
        world.follow()
        (still,) = world.parts.dead_letters.retry(POISON)
    assert (still.applied, still.left) == (0, 3)

    (tried,) = world.parts.dead_letters.retry()

    assert (tried.applied, tried.left, tried.error) == (3, 0, None)
    assert world.parts.dead_letters.waiting() == []
    assert world.same_as_a_fresh_fold()


def test_an_event_that_is_given_up_lets_the_ones_behind_it_go_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.append(history([Wish(), Wish(), Wish()]))
    refuse_charges_of(monkeypatch, POISON)
    world.follow()

    (tried,) = world.parts.dead_letters.skip(POISON, actor="operator:olga", reason="known to be broken")

    assert (tried.applied, tried.left) == (2, 0)
    assert states(world)[POISON] == "submitted"
    assert [row["transaction_id"] for row in world.rows(orders) if row["order_id"] == POISON] == [None]
    assert world.same_as_a_fresh_fold()  # a rebuild leaves it out too


def test_a_row_that_the_database_refuses_sets_its_order_aside(world: World) -> None:
    refused = world.parts.storage.is_postgresql  # SQLite takes text of any length
    wrong = order_events(2, Wish("declined"))
    for event in wrong:
        if isinstance(event, Order.PaymentAttempted):
            event.__dict__["invoice_number"] = "X" * 30
    world.append([*order_events(1, Wish()), *wrong, *order_events(3, Wish())])
    world.follow()

    assert states(world)[POISON] == ("payment_open" if refused else "declined")
    assert sorted(states(world).values())[1:] == ["submitted", "submitted"]
    assert {letter.stream_id for letter in world.parts.dead_letters.waiting()} == ({POISON} if refused else set())


def test_a_projection_whose_table_is_gone_holds_up_no_other(world: World) -> None:
    place = world.served(REVENUE)
    with world.parts.storage.writer(place).begin() as connection:
        schema = world.parts.storage.schema(place)
        connection.exec_driver_sql(f"DROP TABLE {f'{schema}.' if schema else ''}view_revenue")
    world.append(history([Wish()]))
    world.follow()

    assert list(states(world).values()) == ["submitted"]
    standing = {standing.name: standing for standing in world.parts.status().projections}
    assert standing["revenue"].last_error
    assert standing["orders"].last_error is None
    assert (standing["revenue"].lag_events, standing["orders"].lag_events) == (len(world.log), 0)


def test_an_unknown_topic_stops_the_projector_before_it_and_says_who_wrote_it(world: World) -> None:
    world.append(history([Wish()]))
    with world.parts._log_engine.begin() as connection:
        marks = "%s, 1, %s, %s" if world.parts.storage.is_postgresql else "?, 1, ?, ?"
        connection.exec_driver_sql(
            f"INSERT INTO stored_events (originator_id, originator_version, topic, state) VALUES ({marks})",
            (str(UUID(int=77)), "order.teleported.v1", b"{}"),
        )
    with world.parts.storage.control.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO projection_topics VALUES ('order.teleported.v1', '9.9.9+topics.abc', :at, NULL)"),
            {"at": datetime.now(UTC)},
        )
    with pytest.raises(UnknownTopics, match=r"'order.teleported.v1' \(position \d+\), written by version 9.9.9"):
        world.follow()

    assert world.position(ORDERS) == len(world.log)
    with pytest.raises(UnknownTopics, match=r"9\.9\.9"):
        require_readable(world.settings)


def test_the_projector_hears_of_events_within_a_tenth_of_a_second(world: World) -> None:
    async def lag_s() -> float:
        running = asyncio.create_task(world.parts.projector.run())
        await asyncio.sleep(0.3)
        began_s = time.perf_counter()
        await asyncio.to_thread(world.append, order_events(1, Wish()))
        stored_s = time.perf_counter()
        world.parts.projector.wake()
        while world.parts.projector.position < len(world.log):
            await asyncio.sleep(0.005)
            assert time.perf_counter() - began_s < 5
        took_s = time.perf_counter() - stored_s
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return took_s

    assert asyncio.run(lag_s()) < 0.1 + projector.PACE_S  # the machine may be busy


def test_a_leader_that_is_gone_is_replaced_within_ten_seconds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projector, "LEASE_S", 0.5)
    with world.parts.storage.control.execution_options(immediate=True).begin() as connection:
        assert leases.take(connection, LEASE, "killed", 0.5)
        assert not leases.take(connection, LEASE, "test", 0.5)
    began_s = time.monotonic()
    while not world.parts.projector._leads():
        time.sleep(0.05)
    assert 0.3 < time.monotonic() - began_s < 2
    assert projector.LEASE_S + projector.HEARTBEAT_S < 10
    assert world.parts.status().leader.stale is False


def test_a_leader_that_says_nothing_is_an_alarm_even_without_lag(world: World) -> None:
    assert world.parts.status().leader.stale
    assert world.parts.projector._leads()
    with world.parts.storage.control.execution_options(immediate=True).begin() as connection:
        connection.execute(leases.leases.update().values(seen_s=leases.leases.c.seen_s - 60))
    status = world.parts.status()
    assert status.leader.stale
    assert not status.fine
    assert all(standing.lag_events == 0 for standing in status.projections)

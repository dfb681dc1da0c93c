"""Rebuild, verify and roll back: readers notice nothing, a difference is never served, a kill costs nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
import sqlalchemy as sa

from api.read_models import CONVERSION, MODELS, ORDERS, REVENUE
from api.views_database import ViewsDatabase
from domain.order import Order
from domain.stream import Stream
from projections import building
from projections.building import Progress
from projections.digests import digest
from projections.model import Changes, NotFolded
from projections.orders import OrderFilter, Orders, find_orders, orders
from projections.rebuilding import NotPossible
from projections.registry import read_history, read_registry
from tests.projections.histories import ENDINGS, Wish, history, order_events, promotion_events
from tests.projections.world import World, another, append

EVERY_ENDING = [Wish(ending, promotion=number % 3 or None) for number, ending in enumerate(ENDINGS)]


@pytest.fixture
def filled(world: World) -> World:
    world.append(promotion_events() + history(EVERY_ENDING * 2))
    world.follow()
    return world


def fail_at(monkeypatch: pytest.MonkeyPatch, wrong: str | None) -> None:
    """Given a handler of another version: one state is wrong, or (None) it fails."""
    fold = Orders.fold

    def other(self: Orders, event: Stream.Event, position: int, changes: Changes) -> None:
        fold(self, event, position, changes)
        if isinstance(event, Order.PaymentDeclined):
            if wrong is None:
                raise KeyError("nonsense")
            changes.records[orders].change(event.originator_id, state=wrong)

    monkeypatch.setattr(Orders, "fold", other)


def test_a_rebuild_serves_the_next_generation_with_the_same_rows(filled: World) -> None:
    before = filled.rows(orders)
    outcomes = filled.parts.rebuilder.rebuild(MODELS)

    assert all(outcome.switched and outcome.comparison.equal for outcome in outcomes)
    assert {filled.served(model).number for model in MODELS} == {2}
    assert filled.rows(orders) == before
    assert all(outcome.switch_s is not None and outcome.switch_s < 0.5 for outcome in outcomes)

    filled.append(history([Wish("voided")], first=900))
    filled.follow()
    assert len(filled.rows(orders)) == len(before) + 1
    assert filled.same_as_a_fresh_fold()


def test_only_the_served_and_the_previous_generation_are_kept(filled: World) -> None:
    for _ in range(3):
        filled.parts.rebuilder.rebuild([ORDERS])
    with filled.parts.storage.control.connect() as connection:
        entry = read_registry(connection)["orders"]
        names = sa.inspect(filled.parts.storage.control).get_schema_names()
    assert (entry.live.place.number, entry.previous and entry.previous.place.number) == (4, 3)
    if filled.parts.storage.is_postgresql:
        assert [name for name in names if name.startswith("view_orders_")] == ["view_orders_3", "view_orders_4"]
    else:
        there = {number for number in range(1, 6) if filled.parts.storage._file(entry.live.place).with_name(
            f"orders-views-orders-{number}.db").exists()}  # fmt: skip
        assert there == {3, 4}


def test_a_rollback_serves_the_previous_generation_with_all_that_happened_since(filled: World) -> None:
    filled.parts.rebuilder.rebuild([ORDERS])
    filled.append(history([Wish("sent"), Wish("declined")], first=900))
    filled.follow()
    before, position = filled.rows(orders), filled.position(ORDERS)

    place, _ = filled.parts.rebuilder.roll_back(ORDERS, "as an exercise")

    assert (place.number, filled.served(ORDERS).number) == (1, 1)
    assert filled.rows(orders) == before
    assert filled.position(ORDERS) == position
    with filled.parts.storage.control.connect() as connection:
        assert [row["what"] for row in read_history(connection, "orders")] == ["rolled-back", "rebuilt", "created"]


def test_there_is_nothing_to_roll_back_to_before_the_first_rebuild(filled: World) -> None:
    with pytest.raises(NotPossible, match="no previous generation"):
        filled.parts.rebuilder.roll_back(REVENUE)


def test_rows_that_differ_are_shown_and_not_served(filled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = filled.rows(orders)
    fail_at(monkeypatch, wrong="refunded")

    (outcome,) = filled.parts.rebuilder.rebuild([ORDERS])

    assert not outcome.switched
    assert filled.served(ORDERS).number == 1
    assert filled.rows(orders) == before
    assert {tuple(difference.columns) for difference in outcome.comparison.differences} == {("state",)}
    assert {change for d in outcome.comparison.differences for change in d.columns.values()} == {
        ("declined", "refunded")
    }


def test_a_difference_is_served_once_it_is_accepted_by_its_digest(
    filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_at(monkeypatch, wrong="refunded")
    (found,) = filled.parts.rebuilder.rebuild([ORDERS])
    accept = filled.parts.rebuilder.accept
    with pytest.raises(NotPossible, match=found.comparison.rebuilt.text):
        accept(ORDERS, "0" * 32, "wrong digest")
    filled.append(history([Wish("declined")], first=900))
    filled.follow()

    outcome = accept(ORDERS, found.comparison.rebuilt.text, "declined orders now count as refunded")

    assert outcome.switched
    assert filled.served(ORDERS).number == 2
    assert "declined" not in {row["state"] for row in filled.rows(orders)}
    assert filled.position(ORDERS) == len(filled.log)
    filled.parts.rebuilder.roll_back(ORDERS)
    assert "declined" in {row["state"] for row in filled.rows(orders)}


def test_a_rebuild_stops_at_an_event_that_cannot_be_folded_and_names_it(
    filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        fail_at(broken, wrong=None)
        with pytest.raises(NotFolded, match=r"position \d+ \(order.payment-declined.v1, stream .*KeyError"):
            filled.parts.rebuilder.rebuild(MODELS)
    assert filled.served(ORDERS).number == 1
    assert all(outcome.switched for outcome in filled.parts.rebuilder.rebuild(MODELS))


def test_changed_code_is_noticed_and_answered_with_rebuild_needed(
    filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not any(standing.rebuild_needed for standing in filled.parts.status().projections)
    monkeypatch.setattr(ORDERS, "code_digest", "0123456789abcdef")

    needed = [standing.name for standing in filled.parts.status().projections if standing.rebuild_needed]
    assert needed == ["orders"]
    filled.parts.rebuilder.rebuild([ORDERS])
    assert not any(standing.rebuild_needed for standing in filled.parts.status().projections)


def test_a_rebuild_goes_on_from_its_last_batch(filled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "BULK", 20)

    class Killed(BaseException):
        pass

    def die(progress: Progress) -> None:
        if progress.position >= 60:
            raise Killed

    with pytest.raises(Killed):
        filled.parts.rebuilder.rebuild([REVENUE], die)
    seen: list[Progress] = []
    with another(filled, "second") as second:
        (outcome,) = second.parts.rebuilder.rebuild([REVENUE], seen.append)

    assert seen[0].position == 80
    assert seen[-1].percent == 100.0
    assert outcome.switched
    assert outcome.generation == 2


def test_a_second_rebuild_at_the_same_time_is_refused(filled: World) -> None:
    def meanwhile(_: Progress) -> None:
        with another(filled, "second") as second, pytest.raises(NotPossible, match="another process"):
            second.parts.rebuilder.rebuild([CONVERSION])

    (outcome,) = filled.parts.rebuilder.rebuild([CONVERSION], meanwhile)
    assert outcome.switched


def test_verify_finds_a_row_that_somebody_changed_by_hand(filled: World) -> None:
    place = filled.served(ORDERS)
    schema = filled.parts.storage.schema(place)
    with filled.parts.storage.writer(place).begin() as connection:
        table = f"{schema}.view_orders" if schema else "view_orders"
        connection.exec_driver_sql(f"UPDATE {table} SET state = 'odd' WHERE number = (SELECT max(number) FROM {table})")
        connection.exec_driver_sql(f"DELETE FROM {table} WHERE number = (SELECT min(number) FROM {table})")

    found = {outcome.projection: outcome.comparison for outcome in filled.parts.rebuilder.verify(MODELS)}

    assert [name for name, comparison in found.items() if not comparison.equal] == ["orders"]
    assert len(found["orders"].differences) == 2
    assert filled.served(ORDERS).number == 1


def test_the_digest_does_not_depend_on_the_order_of_rows(filled: World) -> None:
    place = filled.served(ORDERS)
    schema = filled.parts.storage.schema(place)

    def text() -> str:
        with filled.parts.storage.reader(place).begin() as connection:
            return digest(connection, ORDERS.tables, schema).text

    before = text()
    table = f"{schema}.view_orders" if schema else "view_orders"
    with filled.parts.storage.writer(place).begin() as connection:
        connection.exec_driver_sql(f"CREATE TEMPORARY TABLE shuffled AS SELECT * FROM {table}")
        connection.exec_driver_sql(f"DELETE FROM {table}")
        connection.exec_driver_sql(f"INSERT INTO {table} SELECT * FROM shuffled ORDER BY number DESC")
        connection.exec_driver_sql("DROP TABLE shuffled")
    assert text() == before
    with filled.parts.storage.writer(place).begin() as connection:
        connection.exec_driver_sql(f"UPDATE {table} SET total_cents = total_cents + 1 WHERE state = 'declined'")
    assert text() != before


@contextmanager
def busy(world: World) -> Iterator[list[str]]:
    """Orders come in, a projector follows, and readers read, in threads of their own; what failed."""
    wrong: list[str] = []
    stop = threading.Event()

    def guarded(work: object) -> None:
        try:
            while not stop.is_set():
                work()  # type: ignore[operator]
        except Exception as error:
            wrong.append(repr(error))

    numbers = iter(range(2000, 9000))

    def order() -> None:
        append(world.settings.database_url, order_events(next(numbers), Wish()))
        stop.wait(0.01)

    with another(world, "projector") as follower, another(world, "reader") as reader:
        last = [0]
        views = ViewsDatabase(reader.parts.storage)

        def read() -> None:
            position, found = asyncio.run(
                views.read(ORDERS, lambda connection: find_orders(connection, OrderFilter(limit=500)))
            )
            if position < last[0] or len(found) < len(ENDINGS) * 2 - 2:
                wrong.append(f"went back from {last[0]} to {position}, {len(found)} orders")
            last[0] = position

        threads = [threading.Thread(target=guarded, args=(work,)) for work in (order, follower.follow, read)]
        for thread in threads:
            thread.start()
        try:
            yield wrong
        finally:
            stop.set()
            for thread in threads:
                thread.join()
            asyncio.run(views.close())


def test_readers_see_no_error_and_no_step_back_while_it_is_rebuilt_and_rolled_back(filled: World) -> None:
    with busy(filled) as wrong:
        for _ in range(3):
            (outcome,) = filled.parts.rebuilder.rebuild([ORDERS])
            assert outcome.comparison.equal, outcome.comparison.differences
            assert outcome.switched
            filled.parts.rebuilder.roll_back(ORDERS)
    assert wrong == []
    filled.follow()
    assert filled.same_as_a_fresh_fold()
    assert len({UUID(str(row["order_id"])) for row in filled.rows(orders)}) > len(ENDINGS) * 2

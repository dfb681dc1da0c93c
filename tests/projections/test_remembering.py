"""The projector remembers what it wrote last, and trusts that only while nobody else has written."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy.exc import SQLAlchemyError

from api.read_models import ORDERS
from domain.order import Order
from domain.stream import Stream
from projections import following, recent
from projections.model import Changes
from projections.orders import Orders, orders
from projections.writing import TableWriter
from tests.projections.histories import ENDINGS, Wish, history, interleaved, order_events, promotion_events
from tests.projections.world import World, another

EVERY_ENDING = [
    order_events(number, Wish(ending, promotion=number % 3 or None)) for number, ending in enumerate(ENDINGS)
]


def count_loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tables that rows are read back from, from now on."""
    loads: list[str] = []
    load = TableWriter.load

    def counted(self: TableWriter, *arguments: object) -> object:
        loads.append(self._columns[0].table.name)
        return load(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(TableWriter, "load", counted)
    return loads


def test_no_row_is_read_back_while_the_events_of_its_order_come_in(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "FRONT", 7)
    loads = count_loads(monkeypatch)
    world.append([*promotion_events(), *interleaved(EVERY_ENDING)])
    world.follow()

    assert loads == []
    assert world.same_as_a_fresh_fold()


def test_rows_that_were_forgotten_are_read_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "FRONT", 7)
    monkeypatch.setattr(recent, "STREAMS", 2)
    loads = count_loads(monkeypatch)
    world.append([*promotion_events(), *interleaved(EVERY_ENDING)])
    world.follow()

    assert "view_orders" in loads
    assert world.same_as_a_fresh_fold()


def test_what_another_runner_wrote_meanwhile_is_not_overwritten(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "FRONT", 5)
    with another(world, "second") as second:
        events = list(interleaved(EVERY_ENDING[:4]))
        for turn, start in enumerate(range(0, len(events), 3)):
            world.append(events[start : start + 3])
            (world, second)[turn % 3 == 0].follow()

    assert world.same_as_a_fresh_fold()


def test_what_another_runner_has_moved_on_its_own_is_not_moved_twice(world: World) -> None:
    events = order_events(2, Wish())
    world.append(events[:3])
    world.follow()
    world.append(events[3:])
    with another(world, "second") as second:
        alone = following.Following(second.parts.storage, [ORDERS], [], second.parts.log)
        while alone.round():
            pass
        alone.close()
    world.follow()

    assert world.parts.dead_letters.waiting() == []
    assert world.same_as_a_fresh_fold()


def test_what_was_tried_again_by_somebody_else_is_not_overwritten(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = order_events(2, Wish())
    poison, charged = UUID(int=(1 << 80) + 2), next(n for n, e in enumerate(events) if type(e) is Order.PaymentCharged)
    fold = Orders.fold

    def failing(self: Orders, event: Stream.Event, position: int, changes: Changes) -> None:
        if isinstance(event, Order.PaymentCharged) and event.originator_id == poison:
            raise KeyError("no such thing")
        fold(self, event, position, changes)

    world.append(events[:charged])
    world.follow()
    with monkeypatch.context() as broken:
        broken.setattr(Orders, "fold", failing)
        world.append(events[charged : charged + 1])
        world.follow()
    with another(world, "somebody") as somebody:
        assert [(tried.applied, tried.left) for tried in somebody.parts.dead_letters.retry()] == [(1, 0)]
    world.append(events[charged + 1 :])
    world.follow()

    assert world.parts.dead_letters.waiting() == []
    assert [row["state"] for row in world.rows(orders)] == ["submitted"]
    assert world.same_as_a_fresh_fold()


def test_what_was_rolled_back_is_not_remembered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    events = order_events(2, Wish())
    world.append(events[:3])
    world.follow()
    fold, failed = Orders.fold, list[int]()

    def once(self: Orders, event: Stream.Event, position: int, changes: Changes) -> None:
        fold(self, event, position, changes)
        if not failed and isinstance(event, Order.Submitted):
            failed.append(position)
            raise RuntimeError("only this time, when the rows have changed")

    monkeypatch.setattr(Orders, "fold", once)
    world.append(events[3:])
    world.follow()

    assert failed
    assert world.parts.dead_letters.waiting() == []  # event by event it went well
    assert world.same_as_a_fresh_fold()


def test_a_connection_that_is_lost_is_opened_again(world: World) -> None:
    world.append(history([Wish()]))
    world.follow()
    for session in world.parts.following._sessions.values():
        session._connection.close()
    world.append(history([Wish("declined")], first=2))
    with pytest.raises(SQLAlchemyError):
        world.follow()
    world.follow()

    assert sorted(row["state"] for row in world.rows(orders)) == ["declined", "submitted"]

"""The work list: what is due is claimed once, a lease runs out by the database's clock, and news is never lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from uuid import UUID

import pytest
import sqlalchemy as sa

from api.read_models import create_read_models
from application.adapters.sql import make_engine
from projections import open_work
from projections.open_work import CORRECTION, EMAIL, PAYMENT

ONE, TWO = UUID(int=1), UUID(int=2)
LEASE_S = 60.0


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    engine = make_engine(database_url).execution_options(immediate=True)
    create_read_models(engine)
    with engine.begin() as connection:
        connection.execute(open_work.open_work.delete())  # the standing item
    yield engine
    engine.dispose()


def put(engine: sa.Engine, order_id: UUID, kind: str = PAYMENT, due_s: float = 1.0, ticket: int = 1) -> None:
    with engine.begin() as connection:
        open_work.put(connection, order_id, kind, due_s, ticket)


def claim(engine: sa.Engine, owner: str, limit: int = 10, lease_s: float = LEASE_S) -> dict[tuple[UUID, str], int]:
    """The ticket of each item that was claimed."""
    with engine.begin() as connection:
        rows = open_work.claim(connection, owner, limit, lease_s)
    return {(row["order_id"], row["kind"]): row["ticket"] for row in rows}


def finish(engine: sa.Engine, owner: str, ticket: int, order_id: UUID = ONE, kind: str = PAYMENT) -> None:
    with engine.begin() as connection:
        open_work.finish(connection, owner, order_id, kind, ticket)


def postpone(engine: sa.Engine, owner: str, ticket: int, after_s: float | None) -> None:
    with engine.begin() as connection:
        open_work.postpone(connection, owner, ONE, PAYMENT, ticket, after_s)


def poke(engine: sa.Engine, order_id: UUID = ONE) -> None:
    with engine.begin() as connection:
        open_work.poke(connection, order_id, PAYMENT)


def renew(engine: sa.Engine, owner: str, *order_ids: UUID) -> None:
    with engine.begin() as connection:
        open_work.renew(connection, owner, [(order_id, PAYMENT) for order_id in order_ids], LEASE_S)


def open_items(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(open_work.open_work)).scalar_one())


def test_what_only_another_version_knows_is_left_to_it(engine: sa.Engine) -> None:
    put(engine, ONE, "later")
    put(engine, TWO)

    assert set(claim(engine, "a")) == {(TWO, PAYMENT)}


def test_what_is_due_is_claimed_by_one_and_what_is_not_by_nobody(engine: sa.Engine) -> None:
    put(engine, ONE)
    put(engine, TWO, due_s=time.time() + 60)
    assert set(claim(engine, "a")) == {(ONE, PAYMENT)}
    assert claim(engine, "b") == {}


def test_the_longest_overdue_come_first_and_no_more_than_asked_for(engine: sa.Engine) -> None:
    for number in range(1, 6):
        put(engine, UUID(int=number), due_s=100.0 - number)
    assert set(claim(engine, "a", limit=2)) == {(UUID(int=5), PAYMENT), (UUID(int=4), PAYMENT)}


def test_one_order_may_have_work_of_several_kinds(engine: sa.Engine) -> None:
    for kind in (PAYMENT, CORRECTION, EMAIL):
        put(engine, ONE, kind)
    assert set(claim(engine, "a")) == {(ONE, PAYMENT), (ONE, CORRECTION), (ONE, EMAIL)}


def test_what_is_finished_is_gone(engine: sa.Engine) -> None:
    put(engine, ONE)
    finish(engine, "a", claim(engine, "a")[ONE, PAYMENT])
    assert open_items(engine) == 0


def test_news_that_came_while_it_was_worked_on_keeps_it_open_and_due(engine: sa.Engine) -> None:
    put(engine, ONE)
    ticket = claim(engine, "a")[ONE, PAYMENT]
    put(engine, ONE, ticket=2)
    finish(engine, "a", ticket)
    assert claim(engine, "b")[ONE, PAYMENT] != ticket


@pytest.mark.parametrize("after_s", [600.0, None])
def test_what_is_postponed_comes_back_later_or_with_news_only(engine: sa.Engine, after_s: float | None) -> None:
    put(engine, ONE)
    postpone(engine, "a", claim(engine, "a")[ONE, PAYMENT], after_s)
    assert claim(engine, "b") == {}
    poke(engine)
    assert set(claim(engine, "b")) == {(ONE, PAYMENT)}


def test_a_poke_that_comes_while_it_is_worked_on_is_not_lost(engine: sa.Engine) -> None:
    put(engine, ONE)
    ticket = claim(engine, "a")[ONE, PAYMENT]
    poke(engine)
    postpone(engine, "a", ticket, 600.0)
    assert set(claim(engine, "b")) == {(ONE, PAYMENT)}


def test_an_event_after_a_poke_is_news_too_though_its_position_follows_directly(engine: sa.Engine) -> None:
    put(engine, ONE, ticket=7)
    poke(engine)
    ticket = claim(engine, "a")[ONE, PAYMENT]
    put(engine, ONE, ticket=8)
    finish(engine, "a", ticket)
    assert open_items(engine) == 1


def test_a_poke_makes_no_work_where_there_is_none(engine: sa.Engine) -> None:
    poke(engine)
    assert open_items(engine) == 0


def test_a_lease_runs_out_by_the_clock_of_the_database(engine: sa.Engine) -> None:
    put(engine, ONE)
    claim(engine, "a", lease_s=0.1)
    assert claim(engine, "b") == {}
    time.sleep(0.15)
    assert set(claim(engine, "b")) == {(ONE, PAYMENT)}


def test_a_renewed_lease_holds_on_and_only_for_what_was_named(engine: sa.Engine) -> None:
    put(engine, ONE)
    put(engine, TWO)
    claim(engine, "a", lease_s=0.1)
    renew(engine, "a", ONE)
    time.sleep(0.15)
    assert set(claim(engine, "b")) == {(TWO, PAYMENT)}


def test_a_lease_that_ran_out_cannot_be_renewed_nor_its_item_finished_or_postponed(engine: sa.Engine) -> None:
    put(engine, ONE)
    ticket = claim(engine, "a", lease_s=0.05)[ONE, PAYMENT]
    time.sleep(0.1)
    claim(engine, "b")
    renew(engine, "a", ONE)
    finish(engine, "a", ticket)
    postpone(engine, "a", ticket, None)
    with engine.connect() as connection:
        owner = connection.execute(sa.select(open_work.open_work.c.owner)).scalar_one()
    assert owner == "b"
    finish(engine, "b", ticket)
    assert open_items(engine) == 0

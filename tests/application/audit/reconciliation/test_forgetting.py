"""What settled rightly and long ago is forgotten but for its name; what comes of it later is judged all the same."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from application.audit.reconciliation.books import Books, read_books
from application.audit.reconciliation.matching import Comparison, Terms, compare
from application.audit.reconciliation.reconcile import GRACE
from domain.order import Order
from domain.stream import Metadata
from tests.application.audit.reconciliation.world import ACTOR, SettlementWorld, no_progress, settlement_world
from tests.helpers import run

Later = Callable[[SettlementWorld, str], Awaitable[object]]


async def books_and_comparison(world: SettlementWorld, *, forget: bool) -> tuple[Books, Comparison]:
    """The comparison of the last day: with all that ever was, or without what it need not know."""
    now = world.world.clock.now()
    first = now - timedelta(days=1)
    since = first if forget else world.began - timedelta(days=1)
    books = await read_books(world.world.service.events, no_progress, since, GRACE)
    return books, compare(books, Terms(first, now + timedelta(days=1), now, GRACE))


async def void_too_late(world: SettlementWorld, charge: str) -> None:
    events, order_id = world.world.service.events, world.orders[0][0]
    (order,) = await events.load((Order, order_id))
    at = Metadata(world.world.clock.now(), ACTOR, "cmd_1", "cmd_1")
    order.request_void(at, transaction_id=charge, amount_cents=18_500, reason="late", unexpected=False)
    order.record_void(at, charge)
    await events.save(order)


LATER: list[tuple[str, Later]] = [
    ("duplicate", lambda world, charge: world.plant("duplicate", charge)),
    ("duplicate", lambda world, charge: world.plant("charged-twice", charge)),
    ("charged-back", lambda world, charge: world.plant("chargeback", charge)),
    ("returned", lambda world, charge: world.plant("returnedItem", charge)),
    ("missing-here", void_too_late),
]


@pytest.mark.parametrize(("found", "later"), LATER)
def test_what_comes_later_of_a_forgotten_charge_is_found_as_if_it_were_known(
    sqlite_url: str, found: str, later: Later
) -> None:
    async def test() -> None:
        async with settlement_world(sqlite_url) as world:
            world.orders = await world.charged(2)
            await world.settle(1)
            await world.settle(10)
            await world.reconcile()
            before, _ = await books_and_comparison(world, forget=True)
            assert (len(before.settled), before.charges, before.rows) == (2, {}, [])

            await later(world, world.orders[0][1])
            await world.settle()
            await world.reconcile()
            _, all_known = await books_and_comparison(world, forget=False)
            _, forgotten = await books_and_comparison(world, forget=True)
            assert forgotten == all_known
            assert [key.classification.value for key in forgotten.standing] == [found]

    run(test())


def test_a_forgotten_charge_that_is_refunded_matches_its_refund(sqlite_url: str) -> None:
    async def test() -> None:
        async with settlement_world(sqlite_url) as world:
            ((order_id, _),) = await world.charged()
            await world.settle(1)
            await world.reconcile()
            world.world.clock.advance(10 * 86_400)
            await world.world.service.operations.refund(order_id, actor=ACTOR, reason="unhappy", request="cmd_1")
            await world.settle()
            await world.reconcile()
            books, forgotten = await books_and_comparison(world, forget=True)
            assert (len(books.settled), forgotten.matched, forgotten.standing) == (1, 1, set())

    run(test())

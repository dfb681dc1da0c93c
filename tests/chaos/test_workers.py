"""Background work in several real processes: it moves when one dies, two at once do it once, and a restart goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from domain.order_events import OrderState
from tests.chaos.processes import Process
from tests.chaos.world import World, a_world, eventually, pay

CHARGED_THEN_DROPPED = 114
MOVES_WITHIN_S = 10.0
SLOW_MS = 2_500  # for every answer of the gateway, so that a worker is still at it when we look
OWNER = "SELECT owner FROM open_work WHERE kind = 'payment' AND lease_until_s > extract(epoch FROM clock_timestamp())"


def test_work_moves_within_ten_seconds_when_the_worker_that_holds_it_is_killed(
    postgresql_url: str, tmp_path: Path
) -> None:
    with a_world(postgresql_url, tmp_path) as world:
        _open_payment(world)
        world.vendors.delay_gateway(SLOW_MS)
        with _two_workers(world) as workers:
            holder = _holder(world)
            workers[holder].kill()
            world.vendors.delay_gateway(0)

            eventually(lambda: _states(world) == [OrderState.SUBMITTED], MOVES_WITHIN_S)
            world.wait_until_resolved()
        assert world.violations() == []


def test_two_recoverers_that_find_the_same_charge_adopt_it_once(postgresql_url: str, tmp_path: Path) -> None:
    with a_world(postgresql_url, tmp_path) as world:
        _open_payment(world)
        world.vendors.delay_gateway(SLOW_MS)
        with _two_workers(world):
            first = _holder(world)
            eventually(lambda: _other_than(first, world))
            world.vendors.delay_gateway(SLOW_MS // 2)

            history = world.wait_until_resolved()
            time.sleep(2 * SLOW_MS / 1000)  # until the slower one has come to its end as well
            history = world.history()

        (order,), (window,) = history.orders, history.windows
        names = history.names(order)
        assert (names.count("PaymentCharged"), names.count("Submitted"), names.count("EmailSent")) == (1, 1, 1)
        assert history.names(window) == ["Opened", "Closed"]
        assert world.vendors.calls()["getTransactionListForCustomerRequest"] >= 2
        assert world.violations() == []


def test_on_sqlite_a_server_that_is_killed_goes_on_with_its_work_when_it_is_started_again(
    sqlite_url: str, tmp_path: Path
) -> None:
    with a_world(sqlite_url, tmp_path) as world:
        with world.starter.running("serve", "--port", "0") as (process, url):
            world.vendors.delay_gateway(SLOW_MS)
            told = pay(url, 1, payment_method_id=CHARGED_THEN_DROPPED)
            assert told is not None
            assert told.detail == "payment-outcome-unknown"
            process.kill()
        assert _states(world) == [OrderState.PAYMENT_OPEN]
        world.vendors.delay_gateway(0)

        with world.starter.running("serve", "--port", "0"):
            world.wait_until_resolved()

        assert _states(world) == [OrderState.SUBMITTED]
        assert world.violations() == []


def _open_payment(world: World) -> None:
    """A charge whose answer was lost, and nobody there to look for it."""
    with world.starter.running("serve", "--port", "0", "--no-work") as (_, url):
        told = pay(url, 1, payment_method_id=CHARGED_THEN_DROPPED)
    assert told is not None
    assert told.detail == "payment-outcome-unknown"


@contextmanager
def _two_workers(world: World) -> Iterator[dict[int, Process]]:
    """By their process ids."""
    with ExitStack() as stack:
        workers = [world.starter.start("work") for _ in range(2)]
        for worker in workers:
            stack.callback(worker.kill)
        for worker in workers:
            worker.wait_until_ready()
        yield {worker.pid: worker for worker in workers}


def _holder(world: World) -> int:
    """The process that has leased the open payment."""
    owner: list[str] = []

    def leased() -> bool:
        with psycopg.connect(world.database_url, autocommit=True) as connection:
            owner[:] = [name for (name,) in connection.execute(OWNER)]
        return bool(owner)

    eventually(leased)
    return int(owner[0].split("-")[-2])


def _other_than(first: int, world: World) -> bool:
    """Take the lease away, as if its worker had been paused for longer than it lasts, until the other one has it."""
    holder = _holder(world)
    if holder == first:
        _take_leases_away(world)
        time.sleep(0.1)
    return holder != first


def _take_leases_away(world: World) -> None:
    with psycopg.connect(world.database_url, autocommit=True) as connection:
        connection.execute("UPDATE open_work SET lease_until_s = 0 WHERE kind = 'payment'")


def _states(world: World) -> list[OrderState | None]:
    return [order.state for order in world.history().orders.values()]

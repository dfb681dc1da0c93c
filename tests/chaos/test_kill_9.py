"""kill -9 at every point of a submission at which the world can have changed: a real process, and a real signal."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from domain.order import Order
from domain.order_events import OrderState
from tests.chaos.history import History
from tests.chaos.launcher import CrashPoint
from tests.chaos.world import World, a_world, eventually, pay

DECLINED, HELD, CHARGED_THEN_DROPPED, PARTLY = 102, 106, 114, 124  # payment methods of the example directory


@dataclass(frozen=True)
class Case:
    """Where the process dies during a submission, and what must have become of the order in the end."""

    crash: CrashPoint
    ends_as: OrderState | None  # None: it never existed
    card: int = 101
    promotion: str = "TEN"

    def __str__(self) -> str:
        return f"{self.crash}, card {self.card}, {self.promotion}"


def _at(call: str, number: int, when: str) -> CrashPoint:
    return CrashPoint(call, number, when)


PHASES = {
    "intent": (
        Case(_at("insert", 1, "before"), None),
        Case(_at("insert", 1, "after"), OrderState.PAYMENT_EXPIRED),
        Case(_at("charge", 1, "before"), OrderState.PAYMENT_EXPIRED),
        Case(_at("insert", 1, "after"), OrderState.SUBMITTED, promotion="ALL"),
    ),
    "charge": (
        Case(_at("charge", 1, "after"), OrderState.SUBMITTED),
        Case(_at("insert", 2, "before"), OrderState.SUBMITTED),
        Case(_at("insert", 2, "after"), OrderState.SUBMITTED),
        Case(_at("insert", 2, "before"), OrderState.DECLINED, card=DECLINED),
        Case(_at("insert", 2, "before"), OrderState.DECLINED, card=HELD),
        Case(_at("insert", 2, "before"), OrderState.DECLINED, card=PARTLY),
        Case(_at("insert", 2, "before"), OrderState.SUBMITTED, card=CHARGED_THEN_DROPPED),
        Case(_at("insert", 2, "after"), OrderState.SUBMITTED, card=CHARGED_THEN_DROPPED),
    ),
    "confirmation": (
        Case(_at("mail", 1, "before"), OrderState.SUBMITTED),
        Case(_at("mail", 1, "after"), OrderState.SUBMITTED),
        Case(_at("insert", 3, "before"), OrderState.SUBMITTED),
        Case(_at("insert", 3, "after"), OrderState.SUBMITTED),
    ),
}


@pytest.mark.parametrize("phase", PHASES)
def test_an_order_survives_a_kill_at_any_point_of_its_submission(phase: str, database_url: str, tmp_path: Path) -> None:
    cases = dict(enumerate(PHASES[phase]))
    with a_world(database_url, tmp_path) as world:
        for home, case in cases.items():
            _die_while_paying(world, home, case)
        with world.starter.running("serve", "--port", "0") as (_, url):
            history = world.wait_until_resolved()
            for home, case in cases.items():
                order = _order_with(history, f"{case.promotion}-{home}")
                assert (order.state if order else None) == case.ends_as, f"{case}: {order and history.names(order.id)}"
            again = {home: pay(url, home, promotion_code=f"{case.promotion}-{home}") for home, case in cases.items()}
        for home, case in cases.items():
            told = again[home]
            assert told is not None
            free = case.ends_as is not OrderState.SUBMITTED
            assert told.status == ("action-successful" if free else "duplicate-payment"), str(case)
        assert world.violations([told for told in again.values() if told]) == []


def test_a_kill_while_the_gateway_takes_its_time_leaves_the_charge_to_be_adopted(
    database_url: str, tmp_path: Path
) -> None:
    with a_world(database_url, tmp_path) as world:
        with world.starter.running("serve", "--port", "0", "--no-work") as (process, url):
            world.vendors.delay_gateway(500)
            with ThreadPoolExecutor(1) as client:
                answer = client.submit(pay, url, 1)
                eventually(lambda: bool(world.vendors.transactions()))
                process.kill()
                assert answer.result() is None
        world.vendors.delay_gateway(0)
        with world.starter.running("serve", "--port", "0"):
            history = world.wait_until_resolved()
        assert [order.state for order in history.orders.values()] == [OrderState.SUBMITTED]
        assert world.violations() == []


def _die_while_paying(world: World, home: int, case: Case) -> None:
    with world.starter.running("serve", "--port", "0", "--no-work", crash=case.crash) as (process, url):
        told = pay(url, home, payment_method_id=case.card, promotion_code=f"{case.promotion}-{home}")
        assert told is None, f"{case}: it answered {told}"
        assert process.wait() == -signal.SIGKILL


def _order_with(history: History, promotion_code: str) -> Order | None:
    """The one order with that promotion, which is each case's own."""
    found = [order for order in history.orders.values() if order.promotion and order.promotion.code == promotion_code]
    assert len(found) <= 1
    return found[0] if found else None

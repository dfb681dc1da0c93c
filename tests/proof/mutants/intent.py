"""Defects around the intent (T1): stored too late, or not with everything that belongs to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any
from unittest.mock import patch
from uuid import UUID

from application import charging, pay_and_submit
from application.commands import SubmitOrder
from application.event_log import Conflict
from application.order_streams import OrderStreams, Saved
from application.pay_and_submit import PayAndSubmit
from domain.duplicate_window import DuplicateWindow
from domain.order import Order
from domain.payment import PaymentState
from domain.stream import Stream
from domain.submission import Guards
from tests.proof.mutants.registry import PAID, SLOW_INTENT, mutant
from tests.proof.scenarios import Scenario


@mutant(PAID)
def the_charge_is_sent_before_its_intent_is_stored() -> Iterator[None]:
    save = OrderStreams.save

    async def not_the_intent(self: OrderStreams, guards: Guards, *more: Stream) -> int:
        if guards.order.payment is not None and guards.order.payment.state is PaymentState.ATTEMPTED:
            return 0
        return await save(self, guards, *more)

    with patch.object(OrderStreams, "save", not_the_intent):
        yield


@mutant(SLOW_INTENT)
def the_guards_clock_is_read_after_the_intent() -> Iterator[None]:
    commit = PayAndSubmit._commit_intent

    async def late(self: PayAndSubmit, command: SubmitOrder, personal: dict[str, Any]) -> Saved:
        return replace(await commit(self, command, personal), read_at=self._ports.clock.now())

    with patch.object(PayAndSubmit, "_commit_intent", late):
        yield


@mutant(Scenario(second="same-key"), Scenario(second="same-thing"))
def a_lost_race_is_taken_for_a_win() -> Iterator[None]:
    save = OrderStreams.save

    async def careless(self: OrderStreams, guards: Guards, *more: Stream) -> int:
        try:
            return await save(self, guards, *more)
        except Conflict:
            return 0

    with patch.object(OrderStreams, "save", careless):
        yield


@mutant(PAID)
def the_promotion_is_not_saved_with_the_order() -> Iterator[None]:
    async def two(self: OrderStreams, guards: Guards, *more: Stream) -> int:
        return await self._events.save(guards.order, guards.window, *more)

    with patch.object(OrderStreams, "save", two):
        yield


@mutant(PAID)
def the_promotion_is_saved_after_the_order() -> Iterator[None]:
    async def one_after_another(self: OrderStreams, guards: Guards, *more: Stream) -> int:
        position = await self._events.save(guards.order, guards.window, *more)
        if guards.redemption is not None:
            await self._events.save(guards.redemption)
        return position

    with patch.object(OrderStreams, "save", one_after_another):
        yield


@mutant(PAID)
def the_duplicate_window_is_not_saved() -> Iterator[None]:
    async def two(self: OrderStreams, guards: Guards, *more: Stream) -> int:
        return await self._events.save(guards.order, *((guards.redemption,) if guards.redemption else ()), *more)

    with patch.object(OrderStreams, "save", two):
        yield


@mutant(Scenario(second="same-thing"), Scenario(second="same-thing-later"))
def the_duplicate_window_refuses_nobody() -> Iterator[None]:
    def anybody(self: DuplicateWindow, order_id: UUID, at: datetime) -> None:
        pass

    with patch.object(DuplicateWindow, "require_free", anybody):
        yield


@mutant(PAID)
def the_discount_is_not_charged_off() -> Iterator[None]:
    request = charging.charge_request

    def full_price(order: Order) -> Any:
        assert order.requested is not None
        return replace(request(order), amount_cents=order.requested.subtotal_cents)

    with patch.object(pay_and_submit, "charge_request", full_price):
        yield

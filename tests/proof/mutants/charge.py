"""Defects around the charge, its outcome (T2) and what the client is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

from application import charging, pay_and_submit
from application.answers import SUCCESS, outcome_of
from application.charging import take_outcome
from application.commands import Outcome, SubmitOrder
from application.event_log import CommitUnknown
from application.order_streams import OrderStreams, Saved
from application.pay_and_submit import PayAndSubmit
from application.ports import ChargeOutcome, Declined, GatewayFailed, OutcomeUnknown
from application.submissions import personal_document
from domain import endings
from domain.duplicate_window import DuplicateWindow
from domain.order import Order
from domain.order_events import OrderState
from domain.payment import PaymentState
from domain.promotion import PromotionRedemption
from domain.stream import Metadata, Stream
from domain.submission import Guards
from tests.proof.mutants.registry import TIME_OUT, mutant
from tests.proof.scenarios import DatabaseFault, Scenario
from tests.proof.world.faults import ChargeFault, InsertFault


@mutant(TIME_OUT)
def a_time_out_is_sent_again_blindly() -> Iterator[None]:
    once = PayAndSubmit._charge_once

    async def twice(self: PayAndSubmit, intent: Saved) -> ChargeOutcome:
        outcome = await once(self, intent)
        if isinstance(outcome, OutcomeUnknown):
            return await self._ports.gateway.charge(charging.charge_request(intent.guards.order))
        return outcome

    with patch.object(PayAndSubmit, "_charge_once", twice):
        yield


def _unknown_becomes(outcome: ChargeOutcome) -> AbstractContextManager[Any]:
    def take(guards: Guards, heard: ChargeOutcome, metadata: Metadata, policy: Any) -> None:
        take_outcome(guards, outcome if isinstance(heard, OutcomeUnknown) else heard, metadata, policy)

    return patch.object(pay_and_submit, "take_outcome", take)


@mutant(TIME_OUT)
def a_time_out_is_recorded_as_a_decline() -> Iterator[None]:
    with _unknown_becomes(Declined("declined-payment", OutcomeUnknown("time-out").codes)):
        yield


@mutant(Scenario(ChargeFault.HTTP_5XX_LANDED, promotion="ten-percent"))
def a_5xx_is_recorded_as_a_failure() -> Iterator[None]:
    with _unknown_becomes(GatewayFailed("external-application-error", OutcomeUnknown("http-5xx").codes)):
        yield


@contextmanager
def _also_on_unknown(also: Callable[[Guards, Metadata], None]) -> Iterator[None]:
    def take(guards: Guards, heard: ChargeOutcome, metadata: Metadata, policy: Any) -> None:
        take_outcome(guards, heard, metadata, policy)
        if isinstance(heard, OutcomeUnknown):
            also(guards, metadata)

    with patch.object(pay_and_submit, "take_outcome", take):
        yield


@mutant(Scenario(ChargeFault.TIMEOUT_LATE, second="same-thing-later"), crashes=0)
def the_duplicate_window_closes_on_unknown() -> Iterator[None]:
    def close(guards: Guards, metadata: Metadata) -> None:
        endings._close(guards.window, guards.order, metadata, PaymentState.UNKNOWN, 0)

    with _also_on_unknown(close):
        yield


@mutant(TIME_OUT, crashes=0)
def the_promotion_is_released_on_unknown() -> Iterator[None]:
    with _also_on_unknown(lambda guards, metadata: endings.release(guards.redemption, guards.order, metadata)):
        yield


@mutant(Scenario(ChargeFault.DECLINED, promotion="ten-percent"))
def the_promotion_stays_reserved_after_a_decline() -> Iterator[None]:
    with patch.object(PromotionRedemption, "release", lambda self, metadata, order_id: None):
        yield


@mutant(Scenario(second="same-thing-later"), crashes=0)
def a_yes_blocks_nothing() -> Iterator[None]:
    close = endings._close

    def at_once(
        window: DuplicateWindow, order: Order, metadata: Metadata, outcome: PaymentState, blocked_s: int
    ) -> None:
        close(window, order, metadata, outcome, 0)

    with patch.object(endings, "_close", at_once):
        yield


@mutant(*(Scenario(database=DatabaseFault(InsertFault.UNKNOWN_WRITTEN, commit)) for commit in (1, 2)))
def an_unknown_commit_is_appended_again() -> Iterator[None]:
    """The decision does not ask whether the outcome is there already."""

    def always(self: Order, metadata: Metadata, **codes: Any) -> None:
        self.record(metadata, Order.PaymentCharged, amount_cents=self.total_cents, **codes)
        self.record(metadata, Order.Submitted, total_cents=self.total_cents)

    with patch.object(Order, "record_charge", always):
        yield


@mutant(*(Scenario(database=DatabaseFault(InsertFault.UNKNOWN_LOST, commit)) for commit in (1, 2, 3)))
def an_unknown_commit_is_taken_for_written() -> Iterator[None]:
    save = OrderStreams.save

    async def trusting(self: OrderStreams, guards: Guards, *more: Stream) -> int:
        try:
            return await save(self, guards, *more)
        except CommitUnknown:
            return 0

    with patch.object(OrderStreams, "save", trusting):
        yield


@mutant(Scenario(second="same-key"), Scenario(second="same-key-later"))
def a_repeat_under_the_key_charges_again() -> Iterator[None]:
    async def as_its_own(self: PayAndSubmit, command: SubmitOrder) -> Outcome:
        personal = personal_document(command)
        intent = await self._commit_intent(command, personal)
        if intent.guards.order.payment is None:
            return await self._refusal(intent.guards.order, intent)
        saved = await self._commit_outcome(command, intent.guards, await self._charge_once(intent))
        return outcome_of(saved.guards.order)

    with patch.object(PayAndSubmit, "__call__", as_its_own):
        yield


def _answers(state: OrderState, status: str) -> AbstractContextManager[Any]:
    def wrong(order: Order) -> Outcome:
        return Outcome(status=status, order_id=order.id) if order.state is state else outcome_of(order)

    return patch.object(pay_and_submit, "outcome_of", wrong)


@mutant(Scenario(ChargeFault.HELD_DECLINED), crashes=0)
def a_held_payment_is_told_as_a_success() -> Iterator[None]:
    with _answers(OrderState.PAYMENT_HELD, SUCCESS):
        yield


@mutant(TIME_OUT, crashes=0)
def an_open_outcome_is_told_as_a_decline() -> Iterator[None]:
    with _answers(OrderState.PAYMENT_OPEN, "declined-payment"):
        yield

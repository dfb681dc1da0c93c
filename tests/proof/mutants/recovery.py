"""Defects of recovery: it concludes too much, too early, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from application import charging, payment_lookup, recovery
from application.payment_lookup import FoundCharge, FoundHeld, FoundNo, NotFound, Unclear
from application.ports import TransactionState
from application.recovery import RecoverPayment
from application.work import LookAgain
from domain import endings
from domain.payment import PaymentState
from domain.stream import Metadata, Stream
from domain.submission import Guards
from tests.proof.mutants.registry import LATE, TIME_OUT, mutant
from tests.proof.scenarios import Scenario
from tests.proof.world.faults import ChargeFault


@mutant(LATE, Scenario(ChargeFault.TIMEOUT_HIDDEN))
def an_attempt_expires_after_ten_minutes() -> Iterator[None]:
    def soon(self: RecoverPayment, payment: Any) -> datetime:
        at: datetime = payment.attempted_at
        return at + timedelta(minutes=10)

    with _expiring(), patch.object(RecoverPayment, "_expires_at", soon):
        yield


@mutant(Scenario(ChargeFault.HTTP_5XX_LANDED))
def not_found_is_believed_at_once() -> Iterator[None]:
    def at_once(self: RecoverPayment, payment: Any) -> datetime:
        at: datetime = payment.attempted_at
        return at

    with _expiring(), patch.object(RecoverPayment, "_expires_at", at_once):
        yield


def _expiring() -> AbstractContextManager[Any]:
    """Expiry without the assertion that it is not too early."""

    def take_expiry(guards: Guards, metadata: Metadata, policy: Any, *, looked_up_at: datetime) -> None:
        guards.order.record_expiry(metadata, looked_up_at)
        endings._free(guards, metadata, PaymentState.EXPIRED)

    return patch.object(endings, "take_expiry", take_expiry)


def _found(change: Callable[[Any, Any], Any]) -> AbstractContextManager[Any]:
    async def look_up(gateway: Any, payment: Any) -> Any:
        return change(await payment_lookup.look_up(gateway, payment), payment)

    return patch.object(recovery, "look_up", look_up)


@mutant(replace(TIME_OUT, lookups_fail_s=1_000.0), crashes=0)
def a_failed_lookup_counts_as_not_found() -> Iterator[None]:
    with _found(lambda finding, _: NotFound() if isinstance(finding, Unclear) else finding):
        yield


@mutant(Scenario(ChargeFault.TIMEOUT_STRANGER), crashes=0)
def a_charge_is_adopted_without_checking_amount_and_card() -> Iterator[None]:
    def judge(details: Any, payment: Any) -> Any:
        if details is not None and details.state in payment_lookup._KEPT:
            return FoundCharge(details.transaction_id, details.authorization_code, details.codes)
        return Unclear("")

    with patch.object(payment_lookup, "_judge", judge):
        yield


@mutant(Scenario(ChargeFault.TIMEOUT_HELD), crashes=0)
def recovery_overlooks_holds() -> Iterator[None]:
    with _found(lambda finding, _: NotFound() if isinstance(finding, FoundHeld) else finding):
        yield


@mutant(Scenario(ChargeFault.HELD_APPROVED), crashes=0)
def a_hold_ends_as_an_ordinary_attempt_does() -> Iterator[None]:
    record = RecoverPayment._record

    def give_up(self: RecoverPayment, guards: Guards, finding: Any, at: datetime, began: datetime) -> Sequence[Stream]:
        payment = guards.order.payment
        if isinstance(finding, FoundHeld) and payment is not None and began >= self._expires_at(payment):
            finding = FoundNo(finding.transaction_id, TransactionState.EXPIRED, finding.codes)
        return record(self, guards, finding, at, began)

    with patch.object(RecoverPayment, "_record", give_up):
        yield


@mutant(Scenario(ChargeFault.HELD_UNDECIDED), crashes=0)
def nobody_ends_a_hold() -> Iterator[None]:
    with patch.object(RecoverPayment, "_held_too_long", lambda self, payment: False):
        yield


@mutant(Scenario(ChargeFault.TIMEOUT_LOST), crashes=0)
def recovery_charges() -> Iterator[None]:
    look = RecoverPayment.__call__

    async def charge(self: RecoverPayment, item: Any) -> LookAgain | None:
        again = await look(self, item)
        order = await self._streams.order(item.order_id)
        if again is not None and order.payment is not None and order.payment.state is PaymentState.UNKNOWN:
            await self._gateway.charge(charging.charge_request(order))
        return again

    with patch.object(RecoverPayment, "__call__", charge):
        yield


@mutant(LATE, crashes=0)
def recovery_looks_only_once() -> Iterator[None]:
    look = RecoverPayment.__call__

    async def once(self: RecoverPayment, item: Any) -> LookAgain | None:
        await look(self, item)
        return None

    with patch.object(RecoverPayment, "__call__", once):
        yield

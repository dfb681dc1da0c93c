"""Defects in taking money back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import patch
from uuid import UUID

from application.corrections import TakeBack
from application.ports import Rejected, TransactionState
from application.reconciler import Reconcile
from application.reversal import Reversal
from application.work import LookAgain
from tests.proof.mutants.registry import TOO_LATE, mutant
from tests.proof.scenarios import Scenario
from tests.proof.world.faults import ChargeFault, CorrectionFault


@mutant(TOO_LATE, Scenario(ChargeFault.ECHO_HIDDEN), crashes=0)
def nobody_reconciles() -> Iterator[None]:
    async def nothing(self: Reconcile, item: Any) -> LookAgain | None:
        return LookAgain(60.0)

    with patch.object(Reconcile, "__call__", nothing):
        yield


@mutant(TOO_LATE, crashes=0)
def an_unexpected_charge_is_kept() -> Iterator[None]:
    with patch("application.reconciler.take_back_intent", lambda *_, **__: ()):
        yield


@mutant(TOO_LATE, crashes=0)
def a_charge_is_taken_back_without_an_intent() -> Iterator[None]:
    async def at_once(self: Reconcile, order_id: UUID, row: Any) -> None:
        await self._gateway.void(row.transaction_id)

    with patch.object(Reconcile, "_unexpected", at_once):
        yield


@mutant(Scenario(ChargeFault.PARTIAL, correction=CorrectionFault.HOLLOW), crashes=0)
def a_void_is_believed_without_its_details() -> Iterator[None]:
    async def trusting(self: Reversal, charge: Any) -> Any:
        outcome = await self._gateway.void(charge.transaction_id)
        details = await self._gateway.details(charge.transaction_id)
        assert details is not None
        return details if isinstance(outcome, Rejected) else replace(details, state=TransactionState.VOIDED)

    with patch.object(Reversal, "_void", trusting):
        yield


@mutant(TOO_LATE, crashes=0)
def a_refund_is_sent_again_at_every_look() -> Iterator[None]:
    async def impatient(self: Reversal, charge: Any) -> None:
        if await self._adopt_refund(charge):
            return
        number, _ = charge.refund
        details = await self._gateway.details(charge.transaction_id)
        assert details is not None
        await self._gateway.refund(charge.transaction_id, details.amount_cents, "", number)

    with patch.object(Reversal, "_finish_refund", impatient):
        yield


@mutant(Scenario(ChargeFault.PARTIAL), crashes=0)
def a_correction_is_tried_once() -> Iterator[None]:
    async def nothing(self: TakeBack, *_: Any) -> Any:
        return await self._streams.order(_[0].order_id if hasattr(_[0], "order_id") else _[0])

    async def done(self: TakeBack, item: Any) -> LookAgain | None:
        return None

    with patch.object(TakeBack, "carry_out", nothing), patch.object(TakeBack, "__call__", done):
        yield

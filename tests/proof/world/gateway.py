"""The port PaymentGateway over the ledger, as one process sees it: delays, faults, and a crossing around every call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from application.ports import (
    Accepted,
    ChargeOutcome,
    ChargeRequest,
    CorrectionOutcome,
    LookupFailed,
    NotSent,
    OutcomeUnknown,
    Rejected,
    SettledBatch,
    TransactionDetails,
    TransactionSummary,
)
from application.ports import TransactionState as State
from tests.proof.world.clock import START
from tests.proof.world.faults import CHARGES, VISIBLE_WITHIN_S, ChargeScript, CorrectionFault
from tests.proof.world.gateway_answers import ERROR, YES, answer, details_of, summary
from tests.proof.world.ledger import ChargeCall, Transaction

if TYPE_CHECKING:
    from tests.proof.world.process import Process
CLOCKS_DIFFER = timedelta(seconds=5)


class Gateway:
    """One process's line to the gateway."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._world = process.world
        self._ledger = process.world.ledger
        self._loop = process.world.loop

    async def charge(self, request: ChargeRequest) -> ChargeOutcome:
        await self._process.crossing("charge", "before")
        fault = self._world.plan.charge()
        script = CHARGES[fault]
        self._world.note("charge", fault)
        self._process.tell("charges", request.invoice_number, request.amount_cents, fault)
        self._note_call(request)
        landed: list[Transaction] = []
        original = self._ledger.original(request, self._loop.now_s)
        if original is not None:
            script = ChargeScript("duplicate")
            landed.append(original)
        elif script.lands is not None:
            self._world.later(script.lands_after_s, self._land, request, script, landed)
        await self._loop.sleep(script.answers_after_s)
        await self._process.crossing("charge", "after")
        outcome = answer(script.answer, landed[0] if landed else None)
        self._process.tell("hears", type(outcome).__name__)
        return outcome

    def _note_call(self, request: ChargeRequest) -> None:
        intended_at = self._world.log.intents.get(request.invoice_number)
        late_s = (self._process.clock.now() - intended_at).total_seconds() if intended_at else 0.0
        self._ledger.calls.append(
            ChargeCall(request.invoice_number, request.amount_cents, self._loop.now_s, intended_at is not None, late_s)
        )

    def _land(self, request: ChargeRequest, script: ChargeScript, landed: list[Transaction]) -> None:
        """The charge arrives, whatever has become of its sender."""
        assert script.lands is not None
        row = self._ledger.land(
            request,
            script.lands,
            self._loop.now_s,
            shows_after_s=script.shows_after_s,
            promised=script.lands_after_s + script.shows_after_s <= VISIBLE_WITHIN_S and script.answer != "duplicate",
        )
        landed.append(row)
        if script.stranger:
            other = replace(request, amount_cents=request.amount_cents + 100, payment_profile_id="7")
            self._ledger.land(other, State.CAPTURED, self._loop.now_s, shows_after_s=0.0, promised=False)
        self._world.tell("gateway", "records", row.id, row.state, request.invoice_number)
        self._world.later(script.shows_after_s, self._world.tell, "gateway", "shows", row.id)
        if script.review is not None:
            self._world.later(script.review_after_s, self._review, row, script.review)

    def _review(self, row: Transaction, verdict: State) -> None:
        """Somebody at the merchant's decides on a held transaction."""
        if row.state is State.HELD:
            self._ledger.change(row, verdict)
            self._world.tell("gateway", "reviews", row.id, verdict)

    # --- lookups ------------------------------------------------------------------------------------------------------

    async def find_by_invoice(
        self, invoice_number: str, *, customer_profile_id: str | None, since: datetime
    ) -> list[TransactionSummary]:
        await self._ask("find")
        rows = [summary(row) for row in self._ledger.of_invoice.get(invoice_number, ()) if self._shows(row)]
        await self._process.crossing("find", "after")
        return rows

    async def details(self, transaction_id: str) -> TransactionDetails | None:
        await self._ask("details")
        row = self._ledger.transactions.get(transaction_id)
        details = details_of(row) if row is not None and self._shows(row) else None
        await self._process.crossing("details", "after")
        return details

    async def unsettled(self) -> list[TransactionSummary]:
        await self._ask("unsettled", numbered=False)
        return [summary(row) for row in self._ledger.unsettled.values() if self._shows(row)]

    async def settled_batches(self, first: datetime, last: datetime) -> list[SettledBatch]:
        await self._ask("batches", numbered=False)
        batches = [
            SettledBatch(name, START + timedelta(seconds=at_s), "settled") for name, at_s in self._ledger.batches
        ]
        return [batch for batch in batches if first <= batch.settled_at <= last + timedelta(seconds=5)]

    async def batch_transactions(self, batch_id: str) -> list[TransactionSummary]:
        await self._ask("batch", numbered=False)
        return [summary(row) for row in self._ledger.of_batch[batch_id] if self._shows(row)]

    async def check_keys(self) -> bool:
        return True

    async def _ask(self, kind: str, *, numbered: bool = True) -> None:
        if numbered:
            await self._process.crossing(kind, "before")
        reason = self._world.plan.lookup(kind)
        await self._loop.sleep(self._world.plan.vendor_s())
        if reason is not None:
            self._world.note("lookup", reason)
            self._process.tell("cannot look up", reason)
            raise LookupFailed(reason)

    def _shows(self, row: Transaction) -> bool:
        return row.shows_at_s <= self._loop.now_s

    # --- corrections --------------------------------------------------------------------------------------------------

    async def void(self, transaction_id: str) -> CorrectionOutcome:
        row = self._ledger.transactions[transaction_id]

        def do() -> bool:
            if row.state in (State.CAPTURED, State.AUTHORIZED_ONLY, State.HELD):
                self._ledger.change(row, State.VOIDED)
            return row.state is State.VOIDED

        return await self._correct("void", transaction_id, do)

    async def refund(
        self, transaction_id: str, amount_cents: int, last4: str, invoice_number: str
    ) -> CorrectionOutcome:
        row = self._ledger.transactions[transaction_id]
        shows_s = self._world.plan.refund_shows_after_s()

        def do() -> bool:
            if row.state is State.SETTLED:
                self._ledger.give_back(row, amount_cents, invoice_number, self._loop.now_s, shows_s)
            return row.state is State.SETTLED

        return await self._correct("refund", transaction_id, do)

    async def decline_held(self, transaction_id: str) -> CorrectionOutcome:
        row = self._ledger.transactions[transaction_id]

        def do() -> bool:
            if row.state is State.HELD:
                self._ledger.change(row, State.DECLINED)
            return row.state is State.DECLINED

        return await self._correct("decline", transaction_id, do)

    async def _correct(self, kind: str, transaction_id: str, do: Callable[[], bool]) -> CorrectionOutcome:
        await self._process.crossing(kind, "before")
        self._world.require_intent(kind, transaction_id)
        fault = self._world.plan.correction(kind)
        if fault is not None:
            self._world.note(kind, fault)
        await self._loop.sleep(self._world.plan.vendor_s())
        done = do() if fault in (None, CorrectionFault.TIMEOUT_DONE) else False
        self._process.tell(kind, transaction_id, "done" if done else "not done", fault or "")
        await self._process.crossing(kind, "after")
        match fault:
            case CorrectionFault.REJECTED:
                return Rejected(ERROR)
            case CorrectionFault.NOT_SENT:
                return NotSent("connection-refused")
            case CorrectionFault.TIMEOUT_DONE | CorrectionFault.TIMEOUT_LOST:
                return OutcomeUnknown("time-out")
            case CorrectionFault.HOLLOW:
                return Accepted(transaction_id, YES)
        return Accepted(transaction_id, YES) if done else Rejected(ERROR)

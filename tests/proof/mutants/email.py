"""Defects around the confirmation email."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

from application import confirmation
from application.commands import Outcome, SubmitOrder
from application.confirmation import delivery_of
from application.order_streams import Saved
from application.outbox import SendEmails
from application.pay_and_submit import PayAndSubmit
from application.ports import MailResult
from application.work import LookAgain
from domain.order import Order
from domain.order_events import Delivery
from tests.proof.mutants.registry import PAID, mutant
from tests.proof.scenarios import Scenario
from tests.proof.world.faults import ChargeFault


@mutant(PAID)
def an_email_is_marked_as_sent_before_it_is() -> Iterator[None]:
    confirm = confirmation.Confirm.__call__

    async def early(self: Any, submitted: Saved, personal: Any, actor: str, request_id: str) -> Saved:
        emails = confirmation.emails_for(submitted.guards.order, personal, self._derived)
        real, told = self._mailer, _AlreadySent()
        self._mailer = told
        try:
            saved: Saved = await confirm(self, submitted, personal, actor, request_id)
        finally:
            self._mailer = real
        await confirmation.send_all(real, emails)
        return saved

    with patch.object(confirmation.Confirm, "__call__", early):
        yield


class _AlreadySent:
    async def send(self, email: Any) -> MailResult:
        return MailResult(email.email_id, "sent", "m0")


@mutant(PAID)
def the_outbox_does_not_search() -> Iterator[None]:
    async def deliver(self: SendEmails, order: Order, email: Any) -> Delivery:
        return delivery_of(await self._mailer.send(email))

    with patch.object(SendEmails, "_deliver", deliver):
        yield


@mutant(PAID)
def there_is_no_outbox() -> Iterator[None]:
    async def nothing(self: SendEmails, item: Any) -> LookAgain | None:
        return None

    with patch.object(SendEmails, "__call__", nothing):
        yield


@mutant(Scenario(ChargeFault.DECLINED), crashes=0)
def a_declined_order_is_confirmed() -> Iterator[None]:
    carry_out = PayAndSubmit._carry_out

    async def anyway(self: PayAndSubmit, command: SubmitOrder, intent: Saved, personal: Any) -> Outcome:
        outcome = await carry_out(self, command, intent, personal)
        order = intent.guards.order
        await confirmation.send_all(self._ports.mailer, confirmation.emails_for(order, personal, self._ports.derived))
        return outcome

    with patch.object(PayAndSubmit, "_carry_out", anyway):
        yield

"""What a person may do to an order by hand: take the money back, have the confirmation sent again. Each asks why."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.errors import request_id_of
from api.pages.failures import PageError
from api.pages.formatting import money, time
from api.pages.orders.order_page import order_id_in
from api.pages.orders.people_of import PeopleOf
from api.pages.orders.snapshot import plain
from api.pages.orders.telling import confirmation, mail_is_open
from api.pages.shell import Shell, viewer_in
from api.pages.viewer import MONEY_MOVERS, OPERATORS
from application.event_log import EventLog
from application.operations import NotPossible, Operations
from application.outbox import SendEmails
from application.work import LookAgain, WorkItem, WorkKind
from domain.order import Order
from domain.order_events import CorrectionState, EmailState, OrderState
from domain.stream import Stream

logger = logging.getLogger(__name__)

REASON_CHARS = (3, 500)
PATIENCE_S = 5.0  # how long a person waits for a try of the outbox
DONE, ASKED, FAILED, ALREADY_ASKED, NOT_POSSIBLE = "done", "asked", "failed", "already-asked", "not-possible"
_NOTHING_RECORDED = frozenset({ALREADY_ASKED, NOT_POSSIBLE})

Told = tuple[str, str]
"""The outcome, and what is said of it."""

Act = Callable[[UUID, str, str, str], Awaitable[Told]]
"""Order, actor, reason, request."""

Asking: TypeAlias = Order.VoidRequested | Order.RefundRequested | Order.EmailResendRequested


@dataclass(frozen=True)
class OrderActions:
    shell: Shell
    operations: Operations
    events: EventLog
    outbox: SendEmails
    people: PeopleOf
    _trying: set[asyncio.Task[LookAgain | None]] = field(default_factory=set)

    def routes(self) -> list[Route]:
        form = self.shell.form
        return [
            form("/orders/{order_id}/void", self.void, MONEY_MOVERS),
            form("/orders/{order_id}/refund", self.refund, MONEY_MOVERS),
            form("/orders/{order_id}/resend", self.resend, OPERATORS),
        ]

    async def void(self, request: Request, fields: dict[str, str]) -> Response:
        async def act(order_id: UUID, actor: str, reason: str, call: str) -> Told:
            order = await self.operations.void(order_id, actor=actor, reason=reason, request=call)
            return await self._money_told(order, call)

        return await self._act(request, fields, "Void the charge", act)

    async def refund(self, request: Request, fields: dict[str, str]) -> Response:
        async def act(order_id: UUID, actor: str, reason: str, call: str) -> Told:
            order = await self.operations.refund(order_id, actor=actor, reason=reason, request=call)
            return await self._money_told(order, call)

        return await self._act(request, fields, "Refund the charge", act)

    async def resend(self, request: Request, fields: dict[str, str]) -> Response:
        """Leave the request to the outbox, and try once at once: of two that try at the same time one sends."""

        async def act(order_id: UUID, actor: str, reason: str, call: str) -> Told:
            await self.operations.resend_email(order_id, actor=actor, reason=reason, request=call)
            asked = [event for event in await self._history(order_id) if isinstance(event, Order.EmailResendRequested)]
            if not any(event.correlation_id == call for event in asked):
                return _already_asked(asked[-1] if asked else None, "The confirmation is on its way already.")
            await self._try_to_send(order_id)
            (order,) = await self.events.load((Order, order_id))
            return _email_told(order, erased=await self.people.erased(order))

        return await self._act(request, fields, "Send the confirmation again", act)

    async def _act(self, request: Request, fields: dict[str, str], what: str, act: Act) -> Response:
        order_id, reason = order_id_in(request), _reason(fields)
        try:
            outcome, text = await act(order_id, viewer_in(request).actor, reason, request_id_of(request))
        except NotPossible as refused:
            outcome, text = NOT_POSSIBLE, f"Nothing was changed: {refused}."
        recorded = outcome not in _NOTHING_RECORDED
        return self.shell.render(
            request,
            "orders/result.html",
            200 if recorded else 409,
            what=what,
            outcome=outcome,
            text=text,
            order_id=order_id,
            reason=reason,
            recorded=recorded,
        )

    async def _money_told(self, order: Order, call: str) -> Told:
        """How it stands now; where the charge was being taken back already, who asked for that."""
        told = _money_result(order)
        asked = [
            event
            for event in await self._history(order.id)
            if isinstance(event, Order.VoidRequested | Order.RefundRequested)
            and order.payment is not None
            and event.transaction_id == order.payment.transaction_id
        ]
        if not asked or any(event.correlation_id == call for event in asked):
            return told
        return _already_asked(asked[0], told[1])

    async def _history(self, order_id: UUID) -> list[Stream.Event]:
        return [event for _, event in await self.events.history(order_id)]

    async def _try_to_send(self, order_id: UUID) -> None:
        """One try of the outbox. Where it takes longer than a person waits, it goes on without the page."""
        trying = asyncio.create_task(self.outbox(WorkItem(order_id, WorkKind.EMAIL, tries=0, ticket=0)))
        self._trying.add(trying)
        trying.add_done_callback(self._tried)
        done, _ = await asyncio.wait({trying}, timeout=PATIENCE_S)
        if done:
            await trying  # it tells of its errors

    def _tried(self, trying: asyncio.Task[LookAgain | None]) -> None:
        self._trying.discard(trying)
        if not trying.cancelled() and (error := trying.exception()):
            logger.error("a confirmation could not be tried: %s", type(error).__name__)


def _reason(fields: dict[str, str]) -> str:
    """Why, in a few words. Raises PageError."""
    reason = fields.get("reason", "").strip()
    least, most = REASON_CHARS
    if set(fields) - {"reason"} or not least <= len(reason) <= most or not reason.isprintable():
        text = f"Say why in {least} to {most} characters on one line. Nothing was changed."
        raise PageError(400, "A reason is needed", text)
    return reason


def _already_asked(asked: Asking | None, text: str) -> Told:
    if asked is None:
        return ALREADY_ASKED, text
    when = plain(time(asked.timestamp))
    return ALREADY_ASKED, f"It was asked for by {asked.actor}, {when}: “{asked.reason}”. {text}"


def _money_result(order: Order) -> Told:
    assert order.payment is not None
    assert order.payment.transaction_id is not None
    amount = money(order.payment.amount_cents)
    if order.state in (OrderState.VOIDED, OrderState.REFUNDED):
        return DONE, f"The gateway shows the {amount} as {order.state}."
    correction = order.corrections.get(order.payment.transaction_id)
    if correction is None:
        return NOT_POSSIBLE, "Nothing was asked for: the charge's state at the gateway has just changed. Try again."
    kind = "void" if correction.state is CorrectionState.VOID_REQUESTED else "refund"
    return ASKED, f"The {kind} of {amount} is asked for and not confirmed yet. The engine goes on until it is."


def _email_told(order: Order, *, erased: bool) -> Told:
    if order.email_state is EmailState.SENT:
        return DONE, f"The mail provider took the confirmation for {len(order.deliveries)} recipient(s)."
    if mail_is_open(order, erased=erased):
        return ASKED, "The confirmation is asked for and not sent to everybody yet. The outbox goes on."
    said = confirmation(order, erased=erased)
    return FAILED, f"{said[0].upper()}{said[1:]}."

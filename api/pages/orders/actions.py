"""What a person may do to an order by hand: take the money back, have the confirmation sent again. Each asks why."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.errors import request_id_of
from api.pages.failures import PageError
from api.pages.formatting import money
from api.pages.orders.order_page import order_id_in
from api.pages.shell import Shell, viewer_in
from api.pages.viewer import MONEY_MOVERS, OPERATORS
from application.operations import NotPossible, Operations
from application.order_streams import OrderStreams
from application.outbox import SendEmails
from application.work import WorkItem, WorkKind
from domain.order import Order
from domain.order_events import CorrectionState, EmailState, OrderState

REASON_CHARS = (3, 500)
DONE, ASKED, NOT_POSSIBLE = "done", "asked", "not-possible"

Act = Callable[[UUID, str, str, str], Awaitable[Order]]
"""Order, actor, reason, request."""


@dataclass(frozen=True)
class OrderActions:
    shell: Shell
    operations: Operations
    streams: OrderStreams
    outbox: SendEmails

    def routes(self) -> list[Route]:
        form = self.shell.form
        return [
            form("/orders/{order_id}/void", self.void, MONEY_MOVERS),
            form("/orders/{order_id}/refund", self.refund, MONEY_MOVERS),
            form("/orders/{order_id}/resend", self.resend, OPERATORS),
        ]

    async def void(self, request: Request, fields: dict[str, str]) -> Response:
        async def act(order_id: UUID, actor: str, reason: str, call: str) -> Order:
            return await self.operations.void(order_id, actor=actor, reason=reason, request=call)

        return await self._act(request, fields, "Void the charge", act, _money_result)

    async def refund(self, request: Request, fields: dict[str, str]) -> Response:
        async def act(order_id: UUID, actor: str, reason: str, call: str) -> Order:
            return await self.operations.refund(order_id, actor=actor, reason=reason, request=call)

        return await self._act(request, fields, "Refund the charge", act, _money_result)

    async def resend(self, request: Request, fields: dict[str, str]) -> Response:
        """Leave the request to the outbox, and try once at once: of two that try at the same time one sends."""

        async def act(order_id: UUID, actor: str, reason: str, call: str) -> Order:
            order = await self.operations.resend_email(order_id, actor=actor, reason=reason, request=call)
            await self.outbox(WorkItem(order_id, WorkKind.EMAIL, tries=0, ticket=0))
            return await self.streams.order(order.id)

        return await self._act(request, fields, "Send the confirmation again", act, _email_result)

    async def _act(
        self,
        request: Request,
        fields: dict[str, str],
        what: str,
        act: Act,
        result: Callable[[Order], tuple[str, str]],
    ) -> Response:
        order_id, reason = order_id_in(request), _reason(fields)
        try:
            order = await act(order_id, viewer_in(request).actor, reason, request_id_of(request))
            outcome, text = result(order)
        except NotPossible as refused:
            outcome, text = NOT_POSSIBLE, f"Nothing was changed: {refused}."
        code = 409 if outcome == NOT_POSSIBLE else 200
        return self.shell.render(
            request, "orders/result.html", code, what=what, outcome=outcome, text=text, order_id=order_id, reason=reason
        )


def _reason(fields: dict[str, str]) -> str:
    """Why, in a few words. Raises PageError."""
    reason = fields.get("reason", "").strip()
    least, most = REASON_CHARS
    if set(fields) - {"reason"} or not least <= len(reason) <= most or not reason.isprintable():
        text = f"Say why in {least} to {most} characters on one line. Nothing was changed."
        raise PageError(400, "A reason is needed", text)
    return reason


def _money_result(order: Order) -> tuple[str, str]:
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


def _email_result(order: Order) -> tuple[str, str]:
    if order.email_state is EmailState.SENT:
        return DONE, f"The mail provider took the confirmation for {len(order.deliveries)} recipient(s)."
    return ASKED, "The confirmation is asked for and not sent to everybody yet. The outbox goes on."

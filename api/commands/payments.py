"""`orders payments`: take the money of an order back by hand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

import typer

from api.commands.console import AsJson, print_json, print_text
from api.commands.operators import ActorName, OrderName, Reason, actor_of, new_request, operate, order_named, shown
from application.receipt import money
from domain.order import Order
from domain.order_events import CorrectionState, OrderState
from domain.pricing import CURRENCY

if TYPE_CHECKING:
    from api.bootstrap import Service  # takes seconds to import: only a command that runs needs it

app = typer.Typer(help="Take the money of an order back: void before it settles, refund after.")

Correct: TypeAlias = "Callable[[Service, UUID], Awaitable[Order]]"


@app.command()
def void(order: OrderName, reason: Reason, actor: ActorName = None, as_json: AsJson = False) -> None:
    """Void the charge of a submitted order that has not settled.

    Exit codes: 0 the gateway shows it as taken back, 1 asked for and not confirmed yet, 2 not possible.
    """
    who, request = actor_of(actor), new_request()
    _correct(
        order,
        lambda service, found: service.operations.void(found, actor=who, reason=reason, request=request),
        as_json=as_json,
    )


@app.command()
def refund(order: OrderName, reason: Reason, actor: ActorName = None, as_json: AsJson = False) -> None:
    """Refund the settled charge of a submitted order, all of it.

    Exit codes: 0 the gateway shows the refund, 1 asked for and not confirmed yet, 2 not possible.
    """
    who, request = actor_of(actor), new_request()
    _correct(
        order,
        lambda service, found: service.operations.refund(found, actor=who, reason=reason, request=request),
        as_json=as_json,
    )


def _correct(name: str, correct: Correct, *, as_json: bool) -> None:
    async def act(service: Service) -> Order:
        return await correct(service, await order_named(service, name))

    order = operate(act)
    finished = order.state in (OrderState.VOIDED, OrderState.REFUNDED)
    message = _message(order)
    if as_json:
        print_json(shown(order, message, finished=finished))
    else:
        print_text(message)
    raise typer.Exit(0 if finished else 1)


def _message(order: Order) -> str:
    assert order.payment is not None
    assert order.payment.transaction_id is not None
    charge = f"{money(order.payment.amount_cents, CURRENCY)} of order {order.number}"
    if order.state is OrderState.VOIDED:
        return f"voided: {charge}"
    if order.state is OrderState.REFUNDED:
        return f"refunded: {charge}"
    correction = order.corrections.get(order.payment.transaction_id)
    if correction is None:
        return f"nothing was asked for: the gateway's state of {charge} has just changed; try again"
    kind = "void" if correction.state is CorrectionState.VOID_REQUESTED else "refund"
    return f"the {kind} is requested and not confirmed yet: {charge}; the running service goes on until it is"

"""`orders emails`: have the confirmation of an order sent again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

import typer

from api.commands.console import AsJson, print_json, print_text
from api.commands.operators import ActorName, OrderName, Reason, actor_of, new_request, operate, order_named, shown
from application.work import WorkItem, WorkKind
from domain.order import Order
from domain.order_events import EmailState

if TYPE_CHECKING:
    from api.bootstrap import Service  # takes seconds to import: only a command that runs needs it

WAIT_S = 5.0  # for a running service that has begun to send it before us
POLL_S = 0.1

app = typer.Typer(help="Confirmation emails.")


@app.callback()
def _group() -> None:
    """Keeps `resend` a command of its own."""


@app.command()
def resend(order: OrderName, reason: Reason, actor: ActorName = None, as_json: AsJson = False) -> None:
    """Have the confirmation of a submitted order sent again, to every recipient, and try it at once.

    Exit codes: 0 the mail provider took every message, 1 asked for and not sent yet, 2 not possible.
    """
    who, request = actor_of(actor), new_request()

    async def act(service: Service) -> Order:
        found = await order_named(service, order)
        await service.operations.resend_email(found, actor=who, reason=reason, request=request)
        return await _try_at_once(service, found)

    after = operate(act)
    sent, message = after.email_state is EmailState.SENT, _message(after)
    if as_json:
        print_json(shown(after, message, finished=sent))
    else:
        print_text(message)
    raise typer.Exit(0 if sent else 1)


async def _try_at_once(service: Service, order_id: UUID) -> Order:
    """One round of the outbox here; whoever else has begun the same try is waited for."""
    await service.outbox(WorkItem(order_id, WorkKind.EMAIL, tries=0, ticket=0))
    for _ in range(round(WAIT_S / POLL_S)):
        order = await service.streams.order(order_id)
        if order.email_state is not EmailState.PENDING or order.email_attempts == 0:
            break
        await asyncio.sleep(POLL_S)
    return order


def _message(order: Order) -> str:
    if order.email_state is EmailState.SENT:
        return f"sent: the confirmation of order {order.number}, to {len(order.deliveries)} recipient(s)"
    waiting = f"the confirmation of order {order.number} is asked for; the running service's outbox sends it"
    if order.email_state is EmailState.PENDING:
        return f"not sent yet: {waiting}"
    open_ones = [delivery for delivery in order.deliveries.values() if not delivery.succeeded]
    why = ", ".join(sorted({delivery.reason or delivery.status for delivery in open_ones}))
    if all(delivery.final for delivery in open_ones):
        return f"not sent: the mail provider refuses {len(open_ones)} recipient(s) of order {order.number} ({why})"
    return f"not sent at once ({why}): {waiting}"

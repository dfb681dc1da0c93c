"""What the commands share with which operators act by hand: who acts and why, on which order, and in which process."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, TypeVar
from uuid import UUID, uuid4

import typer
from sqlalchemy.exc import SQLAlchemyError

from api.commands.console import fail, settings_or_fail
from api.logs import configure_logging
from api.production import production_problems
from api.read_models import ORDERS
from application.event_log import CommitUnknown, StoreUnavailable
from application.operations import NotPossible
from domain.order import Order
from projections.orders import OrderFilter, find_orders
from projections.topics import UnknownTopics

if TYPE_CHECKING:
    from api.bootstrap import Service  # takes seconds to import: only a command that runs needs it

T = TypeVar("T")

CATCH_UP_LIMIT_S = 10.0
MAX_REASON_CHARS = 500
MAX_ACTOR_CHARS = 100
OPERATOR = "operator:"


def _text(value: str | None, most: int) -> str | None:
    if value is None:
        return None
    if not value.strip() or len(value) > most or not value.isprintable():
        raise typer.BadParameter(f"give 1 to {most} printable characters")
    return value.strip()


OrderName = Annotated[str, typer.Argument(metavar="ORDER", help="Id or short number of the order.")]
Reason = Annotated[
    str,
    typer.Option(
        help="Why; kept in the log for good, so no personal data.", callback=lambda v: _text(v, MAX_REASON_CHARS)
    ),
]
ActorName = Annotated[
    str | None,
    typer.Option(
        "--actor",
        metavar="NAME",
        help="Who acts, recorded as operator:NAME. (default: the login name)",
        callback=lambda v: _text(v, MAX_ACTOR_CHARS),
    ),
]


def actor_of(name: str | None) -> str:
    """The actor of the events; always marked as an operator, so that nobody passes for a user or for the system."""
    if name is None:
        try:
            name = getpass.getuser()
        except (OSError, KeyError):
            name = "unknown"
    return name if name.startswith(OPERATOR) else OPERATOR + name


def new_request() -> str:
    """Names one call of a command in the log."""
    return f"cmd_{uuid4().hex}"


def operate(act: Callable[[Service], Awaitable[T]]) -> T:
    """Run one action in a process of its own. What is not possible ends the command with exit code 2."""
    from api.bootstrap import Service

    settings = settings_or_fail()
    if settings.in_production and (problems := production_problems(settings)):
        fail(*problems)
    configure_logging(settings)

    async def in_service() -> T:
        service = Service(settings)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(CATCH_UP_LIMIT_S):
                    while await service.projector.catch_up():
                        pass
            return await act(service)
        finally:
            await service.close()

    try:
        return asyncio.run(in_service())
    except (NotPossible, UnknownTopics) as refused:
        fail(str(refused))
    except (StoreUnavailable, CommitUnknown, SQLAlchemyError) as error:
        fail(
            f"ORDERS_DATABASE_URL: the database cannot be used now ({type(error).__name__});"
            " is it the right one, and has it been migrated (orders migrate)?"
        )


async def order_named(service: Service, name: str) -> UUID:
    """The order of that id or short number. Raises NotPossible."""
    with suppress(ValueError):
        return UUID(name)
    wanted = OrderFilter(q=name, limit=2)
    _, found = await service.views.read(ORDERS, lambda connection: find_orders(connection, wanted))
    if not found:
        raise NotPossible("there is no such order")
    if len(found) > 1:
        raise NotPossible("several orders have that name; give the id")
    return found[0][0]


def shown(order: Order, message: str, *, finished: bool) -> dict[str, object]:
    """The order after the action, as JSON."""
    payment = order.payment
    return {
        "order_id": str(order.id),
        "number": order.number,
        "state": order.state,
        "payment_state": payment.state if payment else None,
        "transaction_id": payment.transaction_id if payment else None,
        "amount_cents": payment.amount_cents if payment else None,
        "email_state": order.email_state,
        "finished": finished,
        "message": message,
    }

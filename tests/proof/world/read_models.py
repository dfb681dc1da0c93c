"""Work items and invoice index, kept from the log by `work_after` with a delay, as the projector does it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from application.reconciler import KnownPayment
from application.work import WorkKind
from domain.order import Order
from domain.order_events import OrderState
from domain.stream import Stream
from projections.open_work import EVERYTHING, RECONCILE, Done, Due, work_after
from tests.proof.world.clock import START

if TYPE_CHECKING:
    from tests.proof.world.world import World

_STATES: dict[type[Stream.Event], OrderState] = {
    Order.Requested: OrderState.PAYMENT_OPEN,
    Order.Refused: OrderState.REFUSED,
    Order.PaymentAttempted: OrderState.PAYMENT_OPEN,
    Order.PaymentHeld: OrderState.PAYMENT_HELD,
    Order.PaymentDeclined: OrderState.DECLINED,
    Order.PaymentFailed: OrderState.PAYMENT_FAILED,
    Order.PaymentNotSent: OrderState.PAYMENT_FAILED,
    Order.PaymentExpired: OrderState.PAYMENT_EXPIRED,
    Order.Submitted: OrderState.SUBMITTED,
}
_ENDED_BY: dict[type[Stream.Event], OrderState] = {
    Order.PaymentVoided: OrderState.VOIDED,
    Order.PaymentRefunded: OrderState.REFUNDED,
}


@dataclass
class Item:
    due_s: float | None
    tries: int
    ticket: int
    owner: str | None = None
    lease_until_s: float = -1.0

    def free_at_s(self) -> float:
        """When somebody may take it, as it stands."""
        if self.due_s is None:
            return float("inf")
        return max(self.due_s, self.lease_until_s) if self.owner is not None else self.due_s


@dataclass
class Row:
    """One order of the read model."""

    state: str
    transaction_id: str | None = None


@dataclass
class Waiter:
    """A worker that has nothing to do."""

    earliest_s: float
    target_s: float
    future: asyncio.Future[None]


class ReadModels:
    """What all processes share: the items and the index."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._loop = world.loop
        self.items: dict[tuple[UUID, WorkKind], Item] = {
            (EVERYTHING, WorkKind(RECONCILE)): Item(due_s=world.reconcile_s, tries=0, ticket=0)
        }
        self.position = world.base
        self._applied = 0
        self._scheduled = False
        self._orders: dict[UUID, Row] = {}
        self._by_invoice: dict[str, UUID] = {}
        self._waiters: list[Waiter] = []

    # --- the projector ------------------------------------------------------------------------------------------------

    def notice(self) -> None:
        """There are new events; they are applied in one batch after a while."""
        if not self._scheduled:
            self._scheduled = True
            self._world.later(self._world.plan.projection_s(), self._apply)

    def _apply(self) -> None:
        self._scheduled = False
        batch = self._world.log.events[self._applied :]
        self._applied += len(batch)
        last: dict[tuple[UUID, WorkKind], tuple[Due | Done, int]] = {}
        for position, event in batch:
            self._index(event)
            change = work_after(event, self._world.policy)
            if change is not None:
                last[event.originator_id, WorkKind(change.kind)] = (change, position)
            self.position = position
        for key, (change, position) in last.items():
            if isinstance(change, Done):
                self.items.pop(key, None)
            else:
                self._put(key, (change.at - START).total_seconds(), position)

    def _put(self, key: tuple[UUID, WorkKind], due_s: float, ticket: int) -> None:
        item = self.items.setdefault(key, Item(due_s, 0, ticket))
        item.due_s, item.tries, item.ticket = due_s, 0, ticket
        self.bring_forward(item.free_at_s())

    def _index(self, event: Stream.Event) -> None:
        """As `projections/orders.py` keeps `view_orders`."""
        kind, order_id = type(event), event.originator_id
        if kind is Order.Requested:
            self._orders[order_id] = Row(OrderState.PAYMENT_OPEN)
        row = self._orders.get(order_id)
        if row is None:
            return
        if (state := _STATES.get(kind)) is not None:
            row.state = state
        if isinstance(event, Order.PaymentAttempted):
            self._by_invoice[event.invoice_number] = order_id
        elif isinstance(event, Order.PaymentCharged | Order.PaymentHeld):
            row.transaction_id = event.transaction_id
        elif (
            isinstance(event, Order.PaymentVoided | Order.PaymentRefunded)
            and row.state == OrderState.SUBMITTED
            and row.transaction_id == event.transaction_id
        ):
            row.state = _ENDED_BY[kind]

    def known(self, invoice_numbers: Sequence[str]) -> dict[str, KnownPayment]:
        found = {}
        for number in invoice_numbers:
            order_id = self._by_invoice.get(number)
            if order_id is not None:
                row = self._orders[order_id]
                found[number] = KnownPayment(order_id, row.state, row.transaction_id)
        return found

    # --- waiting for work ---------------------------------------------------------------------------------------------

    async def until_due(self, pause_s: float) -> None:
        """Wait for the pause at least, and then until something is due."""
        earliest_s = self._loop.now_s + pause_s
        free_at_s = min((item.free_at_s() for item in self.items.values()), default=float("inf"))
        waiter = Waiter(earliest_s, max(earliest_s, free_at_s), self._loop.create_future())
        self._waiters.append(waiter)
        if waiter.target_s < float("inf"):
            self._loop.call_at(waiter.target_s, wake, waiter.future)
        await waiter.future

    def bring_forward(self, due_s: float) -> None:
        """Something is due then: who waits for longer need not."""
        self._waiters = [waiter for waiter in self._waiters if not waiter.future.done()]
        for waiter in self._waiters:
            target_s = max(due_s, waiter.earliest_s)
            if target_s < waiter.target_s:
                waiter.target_s = target_s
                self._loop.call_at(target_s, wake, waiter.future, context=self._world.context.copy())


def wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)

"""One order: the headline, the story with a slider to any instant, money, promotion, confirmation, the events raw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.pages.asking import PageQuery
from api.pages.failures import not_found
from api.pages.orders.accounts import Accounts
from api.pages.orders.people_of import PeopleOf
from api.pages.orders.story import Stories, Story
from api.pages.orders.telling import is_open, standing
from api.pages.shell import Shell, viewer_in
from api.pages.viewer import MONEY_MOVERS, OPERATORS, ORDER_READERS
from api.reading.params import order_id_of
from application.event_log import EventLog
from application.order_view import order_view
from domain.order import Order
from domain.order_events import EmailState, OrderState
from domain.payment import PaymentState

MAX_STEPS = 100_000


@dataclass(frozen=True)
class OrderPage:
    shell: Shell
    events: EventLog
    stories: Stories
    people: PeopleOf
    accounts: Accounts

    def routes(self) -> list[Route]:
        page = self.shell.page
        return [
            page("/orders/{order_id}", self.show, ORDER_READERS),
            page("/orders/{order_id}/people", self.show_people, ORDER_READERS),
            page("/orders/{order_id}/events.json", self.raw, ORDER_READERS),
        ]

    async def show(self, request: Request) -> Response:
        """Now, or as it was after log position `at` or after `step` of the story."""
        query = PageQuery(request, ("at", "step"))
        order_id = order_id_in(request)
        story = await self._story(order_id, at=query.integer("at"), step=query.integer("step", 1, MAX_STEPS))
        order = story.order
        people = await self.people.of(request, order)
        erased = await self.people.erased(order)
        return self.shell.render(
            request,
            "orders/order.html",
            story=story,
            order=order_view(order, None),
            standing=standing(order, erased=erased),
            is_open=is_open(order, erased=erased),
            payment=order.payment,
            corrections=order.corrections,
            promotion=order.promotion,
            requested=order.requested,
            refused=order.refused,
            deliveries=order.deliveries.values(),
            people=people,
            accounts=await self.accounts.of(order_id, [step.position for step in story.steps]),
            may=_may(request, order, erased=erased),
        )

    async def show_people(self, request: Request) -> Response:
        """Everything personal that the order holds: how to get in, whom to call, notes."""
        order = await self._order(request)
        return self.shell.render(
            request,
            "orders/people.html",
            order=order_view(order, None),
            people=await self.people.all_of(request, order),
        )

    async def raw(self, request: Request) -> Response:
        """The events as JSON, without the personal data."""
        story = await self._story(order_id_in(request))
        body = "[\n" + ",\n".join(step.raw for step in story.steps) + "\n]\n"
        return Response(body, media_type="application/json")

    async def _story(self, order_id: UUID, *, at: int | None = None, step: int | None = None) -> Story:
        story = await self.stories.read(order_id, at=at, step=step)
        if story is None:
            raise not_found("order")
        return story

    async def _order(self, request: Request) -> Order:
        (order,) = await self.events.load((Order, order_id_in(request)))
        if order.requested is None:
            raise not_found("order")
        return order


def order_id_in(request: Request) -> UUID:
    """The id in the path. Raises PageError where it cannot be one."""
    order_id = order_id_of(request.path_params["order_id"])
    if order_id is None:
        raise not_found("order")
    return order_id


def _may(request: Request, order: Order, *, erased: bool) -> dict[str, Any]:
    """Which actions the viewer is offered: none that has been asked for and is not done yet."""
    viewer, payment = viewer_in(request), order.payment
    kept = order.state is OrderState.SUBMITTED and payment is not None and payment.state is PaymentState.CHARGED
    asked = payment is not None and payment.transaction_id in order.open_corrections
    sendable = order.submitted_at is not None and order.email_state is not EmailState.PENDING and not erased
    return {
        "take_back": kept and not asked and viewer.may(MONEY_MOVERS),
        "resend": sendable and viewer.may(OPERATORS),
    }

"""The first page after signing in: how the day goes, what needs a person, and the newest order of each ending."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.bootstrap import Service
from api.pages.orders.people_of import PeopleOf
from api.pages.orders.telling import standing
from api.pages.shell import Shell, viewer_in
from api.pages.standing_checks import standing_checks
from api.pages.viewer import EVERYBODY, REPORT_READERS
from api.read_models import CONVERSION, NOTIFICATIONS, ORDERS, REVENUE
from domain.order import Order
from domain.order_events import OrderState
from projections.conversion import ENDED_OTHERWISE, conversion_totals
from projections.notifications import count_notifications, find_notifications
from projections.orders import count_orders, newest_of_states
from projections.paging import Page, Span
from projections.revenue import revenue_by_day

OPEN = (OrderState.PAYMENT_OPEN.value, OrderState.PAYMENT_HELD.value)
ENDINGS = tuple(state.value for state in OrderState)
NEWEST_NOTIFICATIONS = 5


@dataclass(frozen=True)
class Overview:
    shell: Shell
    service: Service

    def routes(self) -> list[Route]:
        return [self.shell.page("/", self.show, EVERYBODY)]

    async def show(self, request: Request) -> Response:
        now = self.shell.clock.now()
        reports = viewer_in(request).may(REPORT_READERS)
        _, waiting = await self.service.views.read(ORDERS, lambda connection: count_orders(connection, OPEN))
        return self.shell.render(
            request,
            "overview.html",
            today=now.date(),
            checks=await standing_checks(self.service, viewer_in(request)),
            figures=await self._figures(now),
            money=await self._money(now) if reports else None,
            waiting=waiting,
            notifications=await self._notifications() if reports else None,
            endings=await self._endings(),
            sandbox=self.shell.notice is not None,
        )

    async def _figures(self, now: datetime) -> Mapping[str, int]:
        """Of the orders requested today (UTC): how many came to which step."""
        _, found = await self.service.views.read(
            CONVERSION, lambda connection: conversion_totals(connection, _today(now))
        )
        totals = found["totals"]
        return {
            "requested": totals["requested"],
            "submitted": totals["submitted"],
            "otherwise": sum(totals[step] for step in ENDED_OTHERWISE),
        }

    async def _money(self, now: datetime) -> Mapping[str, Any]:
        _, rows = await self.service.views.read(
            REVENUE, lambda connection: revenue_by_day(connection, _today(now), Page(1))
        )
        return rows[0] if rows else {"charged_cents": 0, "returned_cents": 0, "net_cents": 0}

    async def _notifications(self) -> Mapping[str, Any]:
        """How many are new, and the newest of them."""

        def read(connection: Any) -> Mapping[str, Any]:
            newest = find_notifications(connection, state="new", before=None, limit=NEWEST_NOTIFICATIONS)
            return {
                "new": count_notifications(connection).get("new", 0),
                "newest": newest[:NEWEST_NOTIFICATIONS],
            }

        return (await self.service.views.read(NOTIFICATIONS, read))[1]

    async def _endings(self) -> list[dict[str, Any]]:
        """The newest order of each state, with where it stands in a sentence."""
        _, rows = await self.service.views.read(ORDERS, lambda connection: newest_of_states(connection, ENDINGS))
        orders = await self.service.events.load(*((Order, row["order_id"]) for row in rows)) if rows else ()
        people = PeopleOf(self.service.keys, self.service.derived, self.service.looks)
        return [
            {**row, "standing": standing(order, erased=await people.erased(order))}
            for row, order in zip(rows, orders, strict=True)
        ]


def _today(now: datetime) -> Span:
    start = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    return Span(start, start + timedelta(days=1))

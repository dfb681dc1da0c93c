"""Work that is not done: payments whose outcome is open and why, charges to be taken back, confirmations to be sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.bootstrap import Service
from api.pages import formatting
from api.pages.shell import Shell
from api.pages.viewer import OPERATORS
from api.read_models import EMAIL_DELIVERIES, PAYMENTS
from domain.payment import PaymentState
from projections.at_work import OpenItem, items_of, open_items
from projections.email_deliveries import deliveries_of
from projections.model import ReadModel, Row
from projections.open_work import CORRECTION, EMAIL, PAYMENT
from projections.paging import Page, Span
from projections.payments import corrections_of, find_payments

T = TypeVar("T")
RowsOf = Callable[[sa.Connection, Sequence[UUID]], list[Row]]

MAX_SHOWN = 50  # of each kind; the rest is counted, and comes up as these are done

_WHY: Mapping[str | None, str] = {
    None: "The charge was sent, or is about to be; its answer has not been stored.",
    "time-out": "The gateway did not answer in time, so the charge may or may not have happened.",
    "connection-lost": "The connection broke after the charge was sent, so it may or may not have happened.",
    "nonsense": "The gateway's answer could not be understood.",
    "too-large": "The gateway's answer was too large to be one.",
    "inconsistent": "The gateway's answer contradicts itself.",
    "gateway-unsure": "The gateway itself says that it does not know.",
    "http-5xx": "The gateway answered with an error of its own after the charge was sent.",
    "duplicate-at-gateway": "The gateway calls it a duplicate, and no lookup has settled of what.",
    "held-for-review": "The gateway holds the transaction until somebody reviews it there.",
}


@dataclass(frozen=True)
class OpenWorkPage:
    shell: Shell
    service: Service

    def routes(self) -> list[Route]:
        return [self.shell.page("/operations/work", self.show, OPERATORS)]

    async def show(self, request: Request) -> Response:
        attempts, more_attempts = await self._attempts()
        corrections, more_corrections = await self._items(CORRECTION)
        emails, more_emails = await self._items(EMAIL)
        rows = await self._rows(PAYMENTS, corrections_of, corrections)
        sent = await self._rows(EMAIL_DELIVERIES, deliveries_of, emails)
        return self.shell.render(
            request,
            "operations/work.html",
            attempts=attempts,
            corrections=[{"item": item, "rows": rows.get(item.order_id, [])} for item in corrections],
            emails=[{"item": item, "deliveries": sent.get(item.order_id, [])} for item in emails],
            more={"attempts": more_attempts, "corrections": more_corrections, "emails": more_emails},
            limit=MAX_SHOWN,
        )

    async def _attempts(self) -> tuple[list[dict[str, Any]], bool]:
        """Payments without an outcome, newest first, each with the work that will find it."""

        def find(connection: sa.Connection) -> list[dict[str, Any]]:
            states = (PaymentState.ATTEMPTED, PaymentState.UNKNOWN, PaymentState.HELD)
            page = Page(MAX_SHOWN)
            return [row for state in states for row in find_payments(connection, Span(), page, state=state.value)]

        _, found = await self.service.views.read(PAYMENTS, find)
        rows = sorted(found, key=lambda row: -row["position"])
        shown = rows[:MAX_SHOWN]
        items = await self._control(
            lambda connection: items_of(connection, PAYMENT, [row["order_id"] for row in shown])
        )
        attempts = [{**row, "why": _why(row["reason"]), "item": items.get(row["order_id"])} for row in shown]
        return attempts, len(rows) > MAX_SHOWN

    async def _items(self, kind: str) -> tuple[list[OpenItem], bool]:
        found = await self._control(lambda connection: open_items(connection, kind, MAX_SHOWN))
        return found[:MAX_SHOWN], len(found) > MAX_SHOWN

    async def _control(self, query: Callable[[sa.Connection], T]) -> T:
        def run() -> T:
            with self.service.read_models.storage.control.connect() as connection:
                return query(connection)

        return await self.service.views.run_blocking(run)

    async def _rows(self, model: ReadModel, query: RowsOf, items: list[OpenItem]) -> dict[UUID, list[Row]]:
        """Rows of a read model by order."""
        ids = [item.order_id for item in items]
        by_order: dict[UUID, list[Row]] = {}
        if ids:
            _, found = await self.service.views.read(model, lambda connection: query(connection, ids))
            for row in found:
                by_order.setdefault(row["order_id"], []).append(row)
        return by_order


def _why(reason: str | None) -> str:
    return _WHY.get(reason) or f"{formatting.words(reason).capitalize()}."

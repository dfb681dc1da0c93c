"""The months of the books: which are closed, on what, and what can be downloaded of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.bootstrap import Service
from api.pages.shell import Shell
from api.pages.viewer import FINANCE_READERS
from api.read_models import LEDGER
from application.audit.closing import MARGIN, month_span, period_id
from domain.period import Period
from projections.ledger.months import months_through

MAX_MONTHS = 60


@dataclass(frozen=True)
class MonthPages:
    shell: Shell
    service: Service

    def routes(self) -> list[Route]:
        return [self.shell.page("/finance/months", self.show, FINANCE_READERS)]

    async def show(self, request: Request) -> Response:
        now = self.shell.clock.now()
        position, months = await self.service.views.read(LEDGER, lambda connection: months_through(connection, now))
        months = months[:MAX_MONTHS]
        periods = await self.service.events.load(*((Period, period_id(month)) for month in months)) if months else ()
        closed = {month: period.closed for month, period in zip(months, periods, strict=True)}
        due = next((month for month in reversed(months) if closed[month] is None), None)
        return self.shell.render(
            request,
            "finance/months.html",
            months=[self._shown(month, closed[month], due) for month in months],
            position=position,
        )

    def _shown(self, month: str, closed: Period.Closed | None, due: str | None) -> dict[str, Any]:
        """A month, and what is to be done next about it."""
        first, ends_at = month_span(month)
        can_close = closed is None and month == due and self.shell.clock.now() >= ends_at + MARGIN
        state = "closed" if closed else "open"
        last = (ends_at - timedelta(days=1)).date()
        return {
            "month": month, "state": state, "closed": closed, "can_close": can_close, "first": first.date(),
            "last": last,
        }  # fmt: skip

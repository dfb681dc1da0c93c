"""The pages of the reports, and their downloads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from api.pages.csv_files import csv_response
from api.pages.failures import PageError, not_found
from api.pages.reports.orders import ORDER_REPORTS
from api.pages.reports.revenue import REVENUE_REPORTS
from api.pages.reports.shape import Report, Shown
from api.pages.shell import Shell
from api.pages.spans import PERIODS, Range, WrongRange, presets, range_of
from api.pages.viewer import REPORT_READERS
from api.pages.visits import PATH
from api.reading.params import Query
from api.views_database import ViewsDatabase

REPORTS: tuple[Report, ...] = (*REVENUE_REPORTS, *ORDER_REPORTS)
_BY_SLUG = {report.slug: report for report in REPORTS}


@dataclass(frozen=True)
class ReportPages:
    """One per process."""

    shell: Shell
    views: ViewsDatabase

    def routes(self) -> list[Route]:
        page = self.shell.page
        return [
            page("/reports", self.first, REPORT_READERS),
            page("/reports/{slug}.csv", self.download, REPORT_READERS),
            page("/reports/{slug}", self.show, REPORT_READERS),
        ]

    async def first(self, request: Request) -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"{PATH}/reports/{REPORTS[0].slug}{query}", 307)

    async def show(self, request: Request) -> Response:
        report = _report(request)
        problem, code = None, 200
        try:
            asked = self._range(request)
        except WrongRange as wrong:
            asked, problem, code = range_of({}, self._today()), str(wrong), 400
        position, shown = await self._read(report, asked)
        return self.shell.render(
            request,
            "reports/report.html",
            code,
            report=report,
            reports=REPORTS,
            range=asked,
            presets=[(label, preset.query()) for label, preset in presets(self._today())],
            periods=PERIODS,
            shown=shown,
            position=position,
            problem=problem,
        )

    async def download(self, request: Request) -> Response:
        """The table of the page as CSV."""
        report = _report(request)
        try:
            asked = self._range(request)
        except WrongRange as wrong:
            raise PageError(400, "This range cannot be shown", f"{str(wrong).capitalize()}.") from None
        _, shown = await self._read(report, asked)
        rows = ([column.csv(row[column.name]) for column in shown.columns] for row in shown.rows)
        name = f"{report.slug}-{asked.first}-to-{asked.last}"
        return csv_response(name, [column.name for column in shown.columns], rows)

    async def _read(self, report: Report, asked: Range) -> tuple[int, Shown]:
        return await self.views.read(report.model, lambda connection: report.read(connection, asked))

    def _range(self, request: Request) -> Range:
        Query(request, ("from", "to", "per"))  # refuses what is not known
        return range_of(request.query_params, self._today())

    def _today(self) -> date:
        return self.shell.clock.now().date()


def _report(request: Request) -> Report:
    report = _BY_SLUG.get(request.path_params["slug"])
    if report is None:
        raise not_found("report")
    return report

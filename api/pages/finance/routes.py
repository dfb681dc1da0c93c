"""All pages of finance."""

from __future__ import annotations

from starlette.routing import Route

from api.bootstrap import Service
from api.pages.finance.books import BooksPages
from api.pages.finance.breaks import BreakPages
from api.pages.finance.exports import ExportPages
from api.pages.finance.log_page import LogPages
from api.pages.finance.months import MonthPages
from api.pages.shell import Shell


def finance_routes(shell: Shell, service: Service) -> list[Route]:
    pages = (MonthPages, BreakPages, ExportPages, LogPages)
    return [
        *BooksPages(shell, service.views).routes(),
        *(route for page in pages for route in page(shell, service).routes()),
    ]

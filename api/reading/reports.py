"""GET /api/v1/reports/...: figures and lists from the read models, each with the position it was read at."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import msgspec
import sqlalchemy as sa
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.envelope import Envelope
from api.errors import invalid, request_id_of
from api.reading.params import MAX_LIMIT, Query
from api.reading.readers import Readers
from api.reading.report_list import REPORTS, Report
from api.statuses import SUCCESS
from api.views_database import ViewsDatabase
from application.times import utc_text
from projections.paging import Page, Span

PATH = "/api/v1/reports/"
MAX_WAIT_S = 2.0  # for `min_position`
_PARAMS = ("from", "to", "cursor", "limit", "min_position")


@dataclass(frozen=True)
class ReadReports:
    """The parts of the routes; one per process."""

    readers: Readers
    views: ViewsDatabase

    async def read(self, request: Request, report: Report) -> Response:
        """A page of a report."""
        await self.readers.report_reader(request)
        query = Query(request, (*_PARAMS, *report.choices))
        span, page = Span(_instant(query, "from"), _instant(query, "to")), Page(query.limit(), _cursor(query, report))
        filters = {name: _filter(query, name, values) for name, values in report.choices.items()}
        min_position = query.integer("min_position")
        if min_position is not None and not await self.views.wait_for(min_position, MAX_WAIT_S, report.model):
            raise invalid("min_position", "not-reached")

        def find(connection: sa.Connection) -> tuple[list[dict[str, Any]], dict[str, Any]]:
            totals = report.totals(connection, span, **filters) if report.totals else {}
            return report.find(connection, span, page, **filters), totals

        position, (rows, totals) = await self.views.read(report.model, find)
        shown = [_shown({name: row[name] for name in report.columns}) for row in rows[: page.limit]]
        further = len(rows) > page.limit
        data: dict[str, Any] = {
            "rows": shown,
            "next_cursor": _next_cursor(rows[page.limit - 1], report) if further else None,
            "position": position,
            **totals,
        }
        return Envelope(SUCCESS, request_id_of(request), data=data).response()


def _instant(query: Query, name: str) -> datetime | None:
    """A date, which stands for its midnight in UTC, or an instant with its offset."""
    text = query.text(name)
    if text is not None and len(text) == len("2026-11-23"):
        try:
            return datetime.combine(date.fromisoformat(text), time(), UTC)
        except ValueError:
            raise invalid(name, "malformed") from None
    at = query.instant(name)
    return at.astimezone(UTC) if at else None


def _filter(query: Query, name: str, values: tuple[str, ...]) -> str | None:
    return query.choice(name, (*values, ""), "") or None if values else query.text(name)


def _cursor(query: Query, report: Report) -> list[Any] | None:
    """Where the last page ended. It is ours alone to read, so anything else is malformed."""
    text = query.text("cursor", max_chars=1000)
    if text is None:
        return None
    try:
        parts = msgspec.json.decode(base64.urlsafe_b64decode(text), type=list[str])
        return [read(part) for read, part in zip(report.cursor.values(), parts, strict=True)]
    except (ValueError, binascii.Error):
        raise invalid("cursor", "malformed") from None


def _next_cursor(last: Mapping[str, Any], report: Report) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode([str(last[name]) for name in report.cursor])).decode()


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """Times in UTC, as everywhere in the API; a nested list of rows too."""
    return {name: _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, list):
        return [_shown(row) for row in value]
    return value


def reports_router(routes: ReadReports) -> APIRouter:
    """The FastAPI routes."""
    router = APIRouter()
    for report in REPORTS:
        router.add_api_route(
            PATH + report.slug,
            _route(routes, report),
            methods=["GET"],
            name=report.slug,
            summary=report.summary,
            response_class=Response,
            openapi_extra=_described(report),
        )
    return router


def _route(routes: ReadReports, report: Report) -> Callable[[Request], Awaitable[Response]]:
    async def read_report(request: Request) -> Response:
        return await routes.read(request, report)

    return read_report


def _described(report: Report) -> dict[str, Any]:
    """For OpenAPI."""
    moment = {"type": "string", "examples": ["2026-11-01", "2026-11-01T00:00:00Z"]}
    parameters = [
        _parameter("from", f"From this on, held against {report.span}. A date stands for its midnight in UTC.", moment),
        _parameter("to", "Up to this, and without it.", moment),
        _parameter("cursor", "`next_cursor` of the page before.", {"type": "string"}),
        _parameter("limit", "Rows per page.", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": 50}),
        _parameter("min_position", "Wait, at most two seconds, until the log was read this far.", {"type": "integer"}),
    ]
    for name, values in report.choices.items():
        schema: dict[str, Any] = {"type": "string", **({"enum": list(values)} if values else {})}
        parameters.append(_parameter(name, "Only rows with it.", schema))
    row = {"type": "object", "properties": {name: {"description": text} for name, text in report.columns.items()}}
    data = {
        "type": "object",
        "properties": {
            "rows": {"type": "array", "items": row},
            "next_cursor": {"type": ["string", "null"], "description": "For the next page; null on the last."},
            "position": {"type": "integer", "description": "Of the last event that the answer has seen."},
        },
        "required": ["rows", "next_cursor", "position"],
    }
    if report.totals:
        data["properties"] |= {  # type: ignore[operator]
            "totals": {"type": "object", "description": "Over the whole span, whatever the page."},
            "reasons": {"type": "array", "description": "Of `conversion`: why orders ended otherwise."},
        }
    envelope = {"type": "object", "properties": {"status": {"type": "string"}, "data": data}}
    return {
        "security": [{"token": []}],
        "parameters": parameters,
        "responses": {"200": {"description": report.summary, "content": {"application/json": {"schema": envelope}}}},
    }


def _parameter(name: str, description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}

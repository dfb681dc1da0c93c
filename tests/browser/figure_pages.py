"""The pages of reports, operations and finance by name, with their addresses."""

from __future__ import annotations

from datetime import UTC, datetime

_TODAY = datetime.now(UTC).date()
_DAYS = f"?from={_TODAY.replace(day=1)}&to={_TODAY}"

FIGURE_PAGES: dict[str, str] = {
    "report-revenue": f"/console/reports/revenue{_DAYS}",
    "report-by-promotion": f"/console/reports/revenue-by-promotion{_DAYS}",
    "report-conversion": f"/console/reports/conversion{_DAYS}",
    "report-refusals": f"/console/reports/refusals{_DAYS}",
    "report-promotions": "/console/reports/promotions",
    "report-nothing": "/console/reports/revenue?from=2020-01-01&to=2020-01-31",
    "operations-health": "/console/operations",
    "operations-work": "/console/operations/work",
    "operations-projections": "/console/operations/projections",
    "operations-projection": "/console/operations/projections/revenue",
    "operations-dead-letters": "/console/operations/dead-letters",
    "operations-notifications": "/console/operations/notifications",
    "finance-balance": "/console/finance",
    "finance-ledger": "/console/finance/ledger",
    "finance-clearing": "/console/finance/clearing",
    "finance-breaks": "/console/finance/breaks",
    "finance-months": "/console/finance/months",
    "finance-exports": "/console/finance/exports",
    "finance-log": "/console/finance/log",
}

"""Between the records of the ports and the rows of the tables, in both directions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import RowMapping

from application.adapters.directory import tables
from application.adapters.directory.import_values import DirectoryImport, is_example
from application.ports import (
    PromotionRecord,
    ServiceRecord,
)

Row = dict[str, Any]


def promotion_record(row: RowMapping) -> PromotionRecord:
    columns = tables.promotions.c
    return PromotionRecord(
        promotion_id=row[columns.promotion_id],
        version=row[columns.version],
        code=row[columns.code],
        percent_off=row[columns.percent_off],
        amount_off_cents=row[columns.amount_off_cents],
        designation=row[columns.designation],
        active=row[columns.active],
        starts_at=row[columns.starts_at],
        ends_at=row[columns.ends_at],
    )


def rows_of(read: DirectoryImport, token_hash: Callable[[str], str]) -> dict[str, list[Row]]:
    """The rows of every section that the file has, by the name of the section; `routes` come from `api_services`."""
    rows: dict[str, list[Row]] = {}
    if read.api_services is not None:
        rows["api_services"] = [
            {"slug": service.slug, "deployed": service.deployed, "active": True} for service in read.api_services
        ]
        rows["routes"] = [
            {**vars(route), "service_slug": service.slug, "active": True}
            for service in read.api_services
            for route in service.routes
        ]
    if read.applications is not None:
        rows["applications"] = [
            {
                **_listed(vars(entry.record)),
                "token_hash": token_hash(entry.token),
                "is_example": is_example(entry.token),
                "active": True,
            }
            for entry in read.applications
        ]
    if read.clients is not None:
        rows["clients"] = [{**_listed(vars(client)), "active": True} for client in read.clients]
    if read.users is not None:
        rows["users"] = [
            {**vars(user), "roles": [dict(vars(role)) for role in user.roles], "active": True} for user in read.users
        ]
    if read.sessions is not None:
        rows["sessions"] = [
            {
                **_without(vars(entry), "token"),
                "token_hash": token_hash(entry.token),
                "is_example": is_example(entry.token),
                "revoked": False,
            }
            for entry in read.sessions
        ]
    if read.payment_methods is not None:
        rows["payment_methods"] = [
            {**_without(vars(method), "default"), "is_default": method.default} for method in read.payment_methods
        ]
    if read.services is not None:
        rows["services"] = [_service_row(service) for service in read.services]
    if read.promotions is not None:
        rows["promotions"] = [
            {**vars(promotion), "code_key": tables.promotion_code_key(promotion.code)} for promotion in read.promotions
        ]
    return rows


def _service_row(service: ServiceRecord) -> Row:
    prices = {str(quantity): cents for quantity, cents in service.prices_cents.items()}  # as JSON has it
    return {**vars(service), "prices_cents": prices, "active": True}


def _listed(fields: Row) -> Row:
    """Tuples as lists, as JSON gives them back."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}


def _without(fields: Row, name: str) -> Row:
    return {key: value for key, value in fields.items() if key != name}

"""Between the records of the ports and the rows of the tables, in both directions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import RowMapping

from application.adapters.directory import tables
from application.adapters.directory.import_values import DirectoryImport, is_example
from application.ports import (
    ApplicationRecord,
    ClientRecord,
    PaymentMethodRecord,
    PromotionRecord,
    Role,
    ServiceRecord,
    SessionRecord,
    UserRecord,
)

Row = dict[str, Any]


def application_record(row: RowMapping) -> ApplicationRecord:
    columns = tables.applications.c
    return ApplicationRecord(
        slug=row[columns.slug],
        name=row[columns.name],
        roles=tuple(row[columns.roles]),
        permissions=tuple(row[columns.permissions]),
    )


def session_record(row: RowMapping) -> SessionRecord:
    """From a session joined with its user."""
    session, user = tables.sessions.c, tables.users.c
    return SessionRecord(
        token_hash=row[session.token_hash],
        user=UserRecord(
            id=row[user.id],
            email=row[user.email],
            first_name=row[user.first_name],
            last_name=row[user.last_name],
            designation=row[user.designation],
            roles=tuple(Role(role["role"], role["client_id"]) for role in row[user.roles]),
        ),
        created_at=row[session.created_at],
        last_used_at=row[session.last_used_at],
        remember_me=row[session.remember_me],
    )


def client_record(row: RowMapping) -> ClientRecord:
    columns = tables.clients.c
    return ClientRecord(
        id=row[columns.id],
        name=row[columns.name],
        email=row[columns.email],
        additional_emails=tuple(row[columns.additional_emails]),
    )


def payment_method_record(row: RowMapping) -> PaymentMethodRecord:
    columns = tables.payment_methods.c
    return PaymentMethodRecord(
        id=row[columns.id],
        client_id=row[columns.client_id],
        customer_profile_id=row[columns.customer_profile_id],
        payment_profile_id=row[columns.payment_profile_id],
        brand=row[columns.brand],
        last4=row[columns.last4],
        exp_month=row[columns.exp_month],
        exp_year=row[columns.exp_year],
        active=row[columns.active],
        default=row[columns.is_default],
    )


def service_record(row: RowMapping) -> ServiceRecord:
    columns = tables.services.c
    return ServiceRecord(
        slug=row[columns.slug],
        group_id=row[columns.group_id],
        name=row[columns.name],
        kind=row[columns.kind],
        access_required=row[columns.access_required],
        previous_order_required=row[columns.previous_order_required],
        prices_cents={int(quantity): cents for quantity, cents in row[columns.prices_cents].items()},
    )


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

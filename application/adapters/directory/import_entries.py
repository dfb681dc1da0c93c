"""One entry of the file to one value, with the rules that span several fields of it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid5

from application.adapters.directory import import_format as file
from application.adapters.directory.import_times import parse_time
from application.adapters.directory.import_values import (
    ImportedApiService,
    ImportedApplication,
    ImportedRoute,
    ImportedSession,
    InvalidImport,
)
from application.adapters.directory.tables import promotion_code_key
from application.ports import (
    ApplicationRecord,
    ClientRecord,
    PaymentMethodRecord,
    PromotionRecord,
    Role,
    ServiceRecord,
    UserRecord,
)

PROMOTION_IDS = UUID("9a7c1f0e-3a53-4c0d-8d0a-6d1b6f1f8f57")  # random: the namespace of ids derived from codes


def api_service(entry: file.ApiServiceEntry) -> ImportedApiService:
    routes = (
        ImportedRoute(route.slug, route.method, route.path, route.deployed, route.sensitive_params)
        for route in entry.routes
    )
    return ImportedApiService(entry.slug, entry.deployed, tuple(routes))


def application(entry: file.ApplicationEntry) -> ImportedApplication:
    record = ApplicationRecord(entry.slug, entry.name, tuple(entry.roles), tuple(entry.permissions))
    return ImportedApplication(record, entry.token)


def user(entry: file.UserEntry, path: str) -> UserRecord:
    for index, given in enumerate(entry.roles):
        if (given.role == "client") != (given.client_id is not None):
            raise InvalidImport(f"{path}.roles[{index}].client_id", "belongs to the role client, and only to it")
    roles = tuple(Role(given.role, given.client_id) for given in entry.roles)
    return UserRecord(entry.id, entry.email, entry.first_name, entry.last_name, entry.designation, roles)


def client(entry: file.ClientEntry) -> ClientRecord:
    return ClientRecord(entry.id, entry.name, entry.email, tuple(entry.additional_emails))


def session(entry: file.SessionEntry, path: str, now: datetime) -> ImportedSession:
    return ImportedSession(
        token=entry.token,
        user_id=entry.user_id,
        created_at=_time(entry.created_at, f"{path}.created_at", now),
        last_used_at=_time(entry.last_used_at, f"{path}.last_used_at", now),
        remember_me=entry.remember_me,
    )


def payment_method(entry: file.PaymentMethodEntry) -> PaymentMethodRecord:
    return PaymentMethodRecord(
        id=entry.id,
        client_id=entry.client_id,
        customer_profile_id=entry.customer_profile_id,
        payment_profile_id=entry.payment_profile_id,
        brand=entry.brand,
        last4=entry.last4,
        exp_month=entry.exp_month,
        exp_year=entry.exp_year,
        active=entry.active,
        default=entry.default,
    )


def service(entry: file.ServiceEntry) -> ServiceRecord:
    return ServiceRecord(
        slug=entry.slug,
        group_id=entry.group_id,
        name=entry.name,
        kind=entry.kind,
        access_required=entry.access_required,
        previous_order_required=entry.previous_order_required,
        prices_cents=entry.prices_cents,
    )


def promotion(entry: file.PromotionEntry, path: str, now: datetime) -> PromotionRecord:
    if (entry.percent_off is None) == (entry.amount_off_cents is None):
        raise InvalidImport(path, "needs exactly one of percent_off and amount_off_cents")
    starts_at = entry.starts_at and _time(entry.starts_at, f"{path}.starts_at", now)
    ends_at = entry.ends_at and _time(entry.ends_at, f"{path}.ends_at", now)
    if starts_at and ends_at and ends_at <= starts_at:
        raise InvalidImport(f"{path}.ends_at", "must come after starts_at")
    return PromotionRecord(
        promotion_id=entry.id or uuid5(PROMOTION_IDS, promotion_code_key(entry.code)),
        version=0,
        code=entry.code.strip(),
        percent_off=entry.percent_off,
        amount_off_cents=entry.amount_off_cents,
        designation=entry.designation,
        active=entry.active,
        starts_at=starts_at or None,
        ends_at=ends_at or None,
    )


def _time(text: str, path: str, now: datetime) -> datetime:
    try:
        return parse_time(text, now)
    except ValueError as error:
        raise InvalidImport(path, str(error)) from None

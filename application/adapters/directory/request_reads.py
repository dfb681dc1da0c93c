"""The statements of the reads that every request makes, and the records their rows become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from application.adapters.row_reader import Statement, document, identifier, instant
from application.ports import (
    ApplicationRecord,
    ClientRecord,
    OrderInputs,
    PaymentMethodRecord,
    PromotionRecord,
    Role,
    ServiceRecord,
    SessionRecord,
    UserRecord,
)

ROUTE = Statement(
    """
SELECT s.deployed AND s.active, r.deployed AND r.active, r.sensitive_params
FROM directory_routes r JOIN directory_api_services s ON s.slug = r.service_slug
WHERE r.method = $1 AND r.path = $2
""",
    ("text", "text"),
)
SESSION = Statement(
    """
SELECT s.created_at, s.last_used_at, s.remember_me,
       u.id, u.email, u.first_name, u.last_name, u.designation, u.roles
FROM directory_sessions s JOIN directory_users u ON u.id = s.user_id
WHERE s.token_hash = $1 AND NOT s.revoked AND u.active
""",
    ("text",),
)
# Nobody waits for the disk: the note of a use that a crash loses costs the session idle time.
TOUCH = """
UPDATE directory_sessions SET last_used_at = $2
FROM set_config('synchronous_commit', 'off', true)
WHERE token_hash = $1 AND last_used_at < $2
"""
_APPLICATION = "SELECT slug, name, roles, permissions FROM directory_applications WHERE active AND"
APPLICATION = Statement(f"{_APPLICATION} slug = $1", ("text",))
APPLICATION_BY_TOKEN = Statement(f"{_APPLICATION} token_hash = $1", ("text",))
CATALOG = Statement("""
SELECT t.catalog_version,
       s.slug, s.group_id, s.name, s.kind, s.access_required, s.previous_order_required, s.prices_cents
FROM directory_state t LEFT JOIN directory_services s ON s.active
""")
# Always one row; what is not there is null.
CUSTOMER = Statement(
    """
SELECT c.id, c.name, c.email, c.additional_emails,
       m.id, m.client_id, m.customer_profile_id, m.payment_profile_id, m.brand, m.last4,
       m.exp_month, m.exp_year, m.active, m.is_default
FROM directory_state t
LEFT JOIN directory_clients c ON c.id = $1 AND c.active
LEFT JOIN directory_payment_methods m ON m.client_id = $1
    AND ((CAST($2 AS bigint) IS NULL AND m.is_default) OR m.id = CAST($2 AS bigint))
""",
    ("bigint", "bigint"),
)
# An earlier promotion may have had the code: the active one comes first.
PROMOTION = Statement(
    """
SELECT promotion_id, version, code, percent_off, amount_off_cents, designation, active, starts_at, ends_at
FROM directory_promotions WHERE code_key = $1 ORDER BY active DESC, promotion_id LIMIT 1
""",
    ("text",),
)


@dataclass(frozen=True)
class Catalog:
    """What can be ordered, and the version of it."""

    version: str
    services: Mapping[str, ServiceRecord]


@dataclass(frozen=True)
class Customer:
    """Who an order is for, and what it is paid with."""

    client: ClientRecord | None
    payment_method: PaymentMethodRecord | None


def order_inputs(
    catalog: Catalog, slugs: Sequence[str], customer: Customer, promotion: PromotionRecord | None
) -> OrderInputs:
    return OrderInputs(
        client=customer.client,
        payment_method=customer.payment_method,
        services={slug: catalog.services[slug] for slug in slugs if slug in catalog.services},
        catalog_version=catalog.version,
        promotion=promotion,
    )


def session_record(token_hash: str, row: Sequence[Any]) -> SessionRecord:
    created_at, last_used_at, remember_me, user_id, email, first_name, last_name, designation, roles = row
    held = tuple(Role(role["role"], role["client_id"]) for role in document(roles))
    created, last_used = instant(created_at), instant(last_used_at)
    assert created is not None
    assert last_used is not None
    user = UserRecord(user_id, email, first_name, last_name, designation, held)
    return SessionRecord(token_hash, user, created, last_used, bool(remember_me))


def application_record(row: Sequence[Any]) -> ApplicationRecord:
    slug, name, roles, permissions = row
    return ApplicationRecord(slug, name, tuple(document(roles)), tuple(document(permissions)))


def service_record(row: Sequence[Any]) -> ServiceRecord:
    slug, group_id, name, kind, access, previous_order, prices = row
    prices_cents = {int(quantity): cents for quantity, cents in document(prices).items()}
    return ServiceRecord(slug, group_id, name, kind, bool(access), bool(previous_order), prices_cents)


def customer_of(row: Sequence[Any]) -> Customer:
    client, method = row[:4], row[4:]
    return Customer(
        client=_client(client) if client[0] is not None else None,
        payment_method=_payment_method(method) if method[0] is not None else None,
    )


def _client(row: Sequence[Any]) -> ClientRecord:
    return ClientRecord(row[0], row[1], row[2], tuple(document(row[3])))


def _payment_method(row: Sequence[Any]) -> PaymentMethodRecord:
    (
        method_id,
        client_id,
        customer_profile_id,
        payment_profile_id,
        brand,
        last4,
        exp_month,
        exp_year,
        active,
        default,
    ) = row
    return PaymentMethodRecord(
        id=method_id,
        client_id=client_id,
        customer_profile_id=customer_profile_id,
        payment_profile_id=payment_profile_id,
        brand=brand,
        last4=last4,
        exp_month=exp_month,
        exp_year=exp_year,
        active=bool(active),
        default=bool(default),
    )


def promotion_record(row: Sequence[Any]) -> PromotionRecord:
    promotion_id, version, code, percent_off, amount_off_cents, designation, active, starts_at, ends_at = row
    return PromotionRecord(
        promotion_id=identifier(promotion_id),
        version=version,
        code=code,
        percent_off=percent_off,
        amount_off_cents=amount_off_cents,
        designation=designation,
        active=bool(active),
        starts_at=instant(starts_at),
        ends_at=instant(ends_at),
    )

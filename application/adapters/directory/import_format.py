"""The format of a directory file: strict JSON, every field with its type and limits, nothing unknown.

Sections that are left out stay as they are in the database; see directory.example.json for one with all of them.
"""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

RoleName = Literal["client", "employee", "liaison", "finance", "reporting", "operations"]

Id = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Cents = Annotated[int, Meta(ge=0, le=10**9)]
Slug = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,99}\Z")]
Text = Annotated[str, Meta(pattern=r"^(?=.*\S)[^\x00-\x1f\x7f]+\Z", max_length=255)]  # not blank, no control characters
Digits = Annotated[str, Meta(pattern=r"^[0-9]{1,20}\Z")]
EmailAddress = Annotated[str, Meta(pattern=r"^[^@\s\x00]+@[^@\s\x00]+\Z", max_length=254)]
Token = Annotated[str, Meta(pattern=r"^[!-~]{8,512}\Z")]
Permission = Annotated[str, Meta(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)*\Z", max_length=100)]


class Entry(Struct, forbid_unknown_fields=True):
    """One object of the file."""


class RouteEntry(Entry):
    slug: Slug
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    path: Annotated[str, Meta(pattern=r"^/[!-~]*\Z", max_length=255)]
    deployed: bool
    sensitive_params: bool


class ApiServiceEntry(Entry):
    slug: Slug
    deployed: bool
    routes: list[RouteEntry]


class ApplicationEntry(Entry):
    slug: Slug
    name: Text
    token: Token
    roles: list[RoleName]
    permissions: list[Permission]


class RoleEntry(Entry):
    role: RoleName
    client_id: Id | None = None  # given where role is client, and only there


class UserEntry(Entry):
    id: Id
    email: EmailAddress
    first_name: Text
    last_name: Text
    designation: Text | None
    roles: list[RoleEntry]


class ClientEntry(Entry):
    id: Id
    name: Text
    email: EmailAddress
    additional_emails: Annotated[list[EmailAddress], Meta(max_length=20)]


class SessionEntry(Entry):
    token: Token
    user_id: Id
    created_at: str  # a time as in import_times.py
    last_used_at: str
    remember_me: bool


class PaymentMethodEntry(Entry):
    id: Id
    client_id: Id
    customer_profile_id: Digits
    payment_profile_id: Digits
    brand: Text
    last4: Annotated[str, Meta(pattern=r"^[0-9]{4}\Z")]
    exp_month: Annotated[int, Meta(ge=1, le=12)]
    exp_year: Annotated[int, Meta(ge=2000, le=2199)]
    active: bool
    default: bool


class ServiceEntry(Entry):
    slug: Slug
    group_id: Id | None
    name: Text
    kind: Literal["primary", "add_on"]
    access_required: bool
    prices_cents: Annotated[dict[Annotated[int, Meta(ge=1, le=10**6)], Cents], Meta(min_length=1, max_length=1000)]
    previous_order_required: bool = False


class PromotionEntry(Entry):
    code: Text
    designation: Text | None
    active: bool
    starts_at: str | None
    ends_at: str | None  # the first instant at which it no longer holds
    percent_off: Annotated[int, Meta(ge=1, le=100)] | None = None  # exactly one of these two
    amount_off_cents: Annotated[int, Meta(ge=1, le=10**9)] | None = None
    id: UUID | None = None  # left out: derived from the code


class DirectoryFile(Entry):
    api_services: list[ApiServiceEntry] | UnsetType = UNSET
    applications: list[ApplicationEntry] | UnsetType = UNSET
    users: list[UserEntry] | UnsetType = UNSET
    clients: list[ClientEntry] | UnsetType = UNSET
    sessions: list[SessionEntry] | UnsetType = UNSET
    payment_methods: list[PaymentMethodEntry] | UnsetType = UNSET
    services: list[ServiceEntry] | UnsetType = UNSET
    promotions: list[PromotionEntry] | UnsetType = UNSET

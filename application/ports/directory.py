"""The directory: reference data that other systems own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import msgspec

from domain.promotion import PromotionTerms


@dataclass(frozen=True)
class RouteRecord:
    """What the directory says of one HTTP route."""

    service_deployed: bool
    route_deployed: bool
    sensitive_params: bool


@dataclass(frozen=True)
class ApplicationRecord:
    slug: str
    name: str
    roles: tuple[str, ...]  # the roles it serves
    permissions: tuple[str, ...]


@dataclass(frozen=True)
class Role:
    role: str  # employee | liaison | client | finance | reporting | operations
    client_id: int | None = None  # where role is client


@dataclass(frozen=True)
class UserRecord:
    id: int
    email: str
    first_name: str
    last_name: str
    designation: str | None
    roles: tuple[Role, ...]


@dataclass(frozen=True)
class SessionRecord:
    token_hash: str
    user: UserRecord
    created_at: datetime
    last_used_at: datetime
    remember_me: bool


@dataclass(frozen=True)
class ClientRecord:
    id: int
    name: str
    email: str
    additional_emails: tuple[str, ...]


@dataclass(frozen=True)
class PaymentMethodRecord:
    id: int
    client_id: int
    customer_profile_id: str
    payment_profile_id: str
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    active: bool
    default: bool


@dataclass(frozen=True)
class ServiceRecord:
    slug: str
    group_id: int | None
    name: str
    kind: str  # primary | add_on
    access_required: bool
    previous_order_required: bool
    prices_cents: dict[int, int]  # quantity → price of that quantity


PromotionRecord = PromotionTerms
"""The terms of a promotion as they hold now; `version` is that of its event stream."""


class OrderInputs(msgspec.Struct, frozen=True):
    """Everything the directory knows that one order needs, read at one moment."""

    client: ClientRecord | None
    payment_method: PaymentMethodRecord | None  # the one asked for, else the client's default; active or not
    services: dict[str, ServiceRecord]  # of the slugs asked for, those that are there
    catalog_version: str
    promotion: PromotionRecord | None


class Directory(Protocol):
    """Reads of the reference data. Raises DirectoryUnavailable when it cannot be read."""

    async def route(self, method: str, path: str) -> RouteRecord | None: ...

    async def session(self, token_hash: str) -> SessionRecord | None:
        """A session that exists and is not revoked; whether it has expired is the caller's to say."""
        ...

    async def application_by_token(self, token_hash: str) -> ApplicationRecord | None: ...

    async def application(self, slug: str) -> ApplicationRecord | None: ...

    async def order_inputs(
        self, *, client_id: int, payment_method_id: int | None, slugs: Sequence[str], promotion_code: str | None
    ) -> OrderInputs: ...

    async def touch_session(self, token_hash: str, at: datetime) -> None:
        """Move last_used_at forward; never back."""
        ...


class DirectoryUnavailable(Exception):
    """The reference data cannot be read right now."""

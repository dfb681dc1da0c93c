"""The one command of the main job, and how it ended: the values between the HTTP API and the process manager."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec

from application.ports import ClientRecord, GatewayCodes, PaymentMethodRecord, PromotionRecord, ServiceRecord
from domain.order import Order


class Requester(msgspec.Struct, frozen=True):
    """Who asks, and in which capacity: identified, and allowed by the application to do it."""

    id: str  # "user:11" or "application:planoorder"; never a token
    application: str  # slug of the application acted through
    role: str  # employee | liaison | client | application
    designation: str | None  # of the user; None where an application acts as itself

    @property
    def is_application(self) -> bool:
        return self.role == "application"


class OrderedService(msgspec.Struct, frozen=True):
    """One service of the order, checked against the catalog."""

    service: ServiceRecord
    quantity: int
    instructions: str | None = None
    previous_order_id: UUID | None = None


class SubmitOrder(msgspec.Struct, frozen=True):
    """A valid request to pay for an order and submit it. Everything in it has been validated and belongs together."""

    request_id: str
    requester: Requester
    client: ClientRecord
    services: tuple[OrderedService, ...]  # the primary service first
    catalog_version: str
    property_info: Mapping[str, Any]  # as validated; personal
    property_access: Mapping[str, Any] | None  # as validated; personal
    appointments: tuple[Mapping[str, Any], ...]
    notes: str | None
    metadata: Mapping[str, str]
    promotion_code: str | None  # as typed
    promotion: PromotionRecord | None  # None where no promotion has that code
    payment_method: PaymentMethodRecord | None  # None only where nothing has to be paid
    idempotency_key: str | None
    request_digest: str  # keyed digest of the canonical JSON body without token and views


@dataclass(frozen=True)
class Outcome:
    """How the command ended, in the words of the API; `order_id` names the order to show, if there is one.

    status: a slug of the API. detail: a slug that narrows it down (payment-outcome-unknown, ...).
    param: the parameter at fault, as a path. position: of the last event written, to wait for in a projection.
    """

    status: str
    order_id: UUID | None = None
    detail: str | None = None
    param: str | None = None
    gateway: GatewayCodes | None = None
    retry_after_seconds: int | None = None
    position: int | None = None
    replayed: bool = False
    order: Order | None = field(default=None, repr=False, compare=False)  # where it is at hand: the order itself,
    personal: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)  # and its personal data

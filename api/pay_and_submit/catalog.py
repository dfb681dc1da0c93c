"""What only the directory can tell of an order: which services there are, in which quantities, and what they need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from api.errors import invalid, missing
from api.pay_and_submit.params import MAX_ADD_ONS, AddOnService, OrderParams, Service
from api.pay_and_submit.ports import PreviousOrders
from application.commands import OrderedService
from application.ports import OrderInputs, ServiceRecord

_MAX_SLUG_CHARS = 100
_MAX_CODE_CHARS = 100
_IDS = range(1, 2**63)


class Asked(msgspec.Struct, frozen=True):
    """What a body asks of the directory, as far as it has the right form: the rest of it may be wrong."""

    client_id: int | None
    payment_method_id: int | None
    promotion_code: str | None
    services: Mapping[str, Mapping[str, Any]]  # path → service with a usable slug; the primary service first
    has_property_access: bool

    @property
    def slugs(self) -> Sequence[str]:
        return list(dict.fromkeys(service["slug"] for service in self.services.values()))


def asked_of(raw: Mapping[str, Any]) -> Asked:
    """Read leniently, so that what is missing can be told before what is invalid."""
    order = _object(raw.get("order"))
    add_ons = order.get("add_on_services")
    found = [("order.primary_service", _object(order.get("primary_service")))]
    for index, service in enumerate(add_ons[:MAX_ADD_ONS] if isinstance(add_ons, list) else []):
        found.append((f"order.add_on_services[{index}]", _object(service)))
    return Asked(
        client_id=_id(_object(order.get("client")).get("id")),
        payment_method_id=_id(raw.get("payment_method_id")),
        promotion_code=_text(raw.get("promotion_code"), _MAX_CODE_CHARS),
        services={path: service for path, service in found if _text(service.get("slug"), _MAX_SLUG_CHARS)},
        has_property_access="property_access" in order,
    )


def require_what_services_need(asked: Asked, catalog: Mapping[str, ServiceRecord]) -> None:
    """Raise ApiError missing-param for a previous order or a property access that an ordered service needs."""
    records = {path: record for path, service in asked.services.items() if (record := catalog.get(service["slug"]))}
    for path, record in records.items():
        add_on = record.kind == "add_on" and path != "order.primary_service"
        if add_on and record.previous_order_required and "previous_order_id" not in asked.services[path]:
            raise missing(f"{path}.previous_order_id")
    if not asked.has_property_access and any(record.access_required for record in records.values()):
        raise missing("order.property_access")


async def ordered_services(
    order: OrderParams, inputs: OrderInputs, client_id: int, previous_orders: PreviousOrders
) -> tuple[OrderedService, ...]:
    """The services as the catalog has them, the primary service first.

    Raises ApiError invalid-param for an unknown slug, one of another kind, one that comes twice, a quantity without a
    price, a previous order that the client does not have, and an access that the services do not go with.
    """
    ordered: list[OrderedService] = []
    for path, kind, service in _by_path(order):
        record = inputs.services.get(service.slug)
        if record is None or record.kind != kind or any(record is other.service for other in ordered):
            raise invalid(f"{path}.slug")
        if record.previous_order_required and kind == "primary":
            raise invalid(f"{path}.slug", "previous-order-required")  # a primary service cannot name one
        if service.quantity not in record.prices_cents:
            raise invalid(f"{path}.quantity")
        previous_id = await _previous_order_id(path, service, client_id, previous_orders)
        ordered.append(OrderedService(record, service.quantity, service.service_instructions, previous_id))
    access_needed = any(item.service.access_required for item in ordered)
    if access_needed and order.property_access and order.property_access.method_of_access == "no_access_needed":
        raise invalid("order.property_access.method_of_access", "access-needed")
    return tuple(ordered)


async def _previous_order_id(
    path: str, service: Service, client_id: int, previous_orders: PreviousOrders
) -> UUID | None:
    if not isinstance(service, AddOnService) or service.previous_order_id is None:
        return None
    try:
        order_id = UUID(service.previous_order_id)
    except ValueError:
        order_id = None
    if order_id is None or not await previous_orders.exists(order_id, client_id):
        raise invalid(f"{path}.previous_order_id")
    return order_id


def _by_path(order: OrderParams) -> Iterator[tuple[str, str, Service]]:
    if order.primary_service is not None:
        yield "order.primary_service", "primary", order.primary_service
    for index, service in enumerate(order.add_on_services or ()):
        yield f"order.add_on_services[{index}]", "add_on", service


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _id(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value in _IDS else None


def _text(value: object, max_chars: int) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= max_chars else None

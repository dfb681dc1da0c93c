"""Turns a valid request into facts for the decision: priced lines, the card, and the sealed personal data."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from application.commands import OrderedService, SubmitOrder
from application.personal_data import open_sealed, seal
from application.ports import KeyStore, PaymentMethodRecord, PromotionRecord
from domain.order import Order
from domain.payment import Card
from domain.personal_data import SealedPersonalData
from domain.pricing import Line
from domain.promotion import PromotionTerms, require_applicable
from domain.refusals import InvalidPromotion
from domain.submission import Submission, amount_due_cents, redemption_holder


def submission_of(command: SubmitOrder, personal: SealedPersonalData, invoice_number: str) -> Submission:
    """The command as the domain sees it."""
    requester = command.requester
    return Submission(
        requester=requester.id,
        application=requester.application,
        role=requester.role,
        designation=requester.designation,
        client_id=command.client.id,
        lines=tuple(line_of(ordered) for ordered in command.services),
        catalog_version=command.catalog_version,
        request_digest=command.request_digest,
        personal=personal,
        promotion_asked=command.promotion_code is not None,
        promotion=command.promotion,
        promotion_holder=redemption_holder(requester.id, requester.is_application, command.client.id),
        card=card_of(command.payment_method) if command.payment_method else None,
        invoice_number=invoice_number,
    )


def line_of(ordered: OrderedService) -> Line:
    service = ordered.service
    return Line(
        slug=service.slug,
        name=service.name,
        kind=service.kind,
        group_id=service.group_id,
        quantity=ordered.quantity,
        base_price_cents=service.prices_cents[ordered.quantity],
    )


def card_of(record: PaymentMethodRecord) -> Card:
    return Card(
        payment_method_id=record.id,
        customer_profile_id=record.customer_profile_id,
        payment_profile_id=record.payment_profile_id,
        brand=record.brand,
        last4=record.last4,
        exp_month=record.exp_month,
        exp_year=record.exp_year,
    )


def personal_document(command: SubmitOrder) -> dict[str, Any]:
    """All personal data of a request: what goes sealed into the log, and nowhere else in the clear."""
    return {
        "client_name": command.client.name,
        "recipients": [command.client.email, *command.client.additional_emails],
        "property_info": dict(command.property_info),
        "property_access": dict(command.property_access) if command.property_access else None,
        "appointments": [dict(appointment) for appointment in command.appointments],
        "notes": command.notes,
        "metadata": dict(command.metadata),
        "promotion_code": command.promotion_code,
        "service_instructions": {
            ordered.service.slug: ordered.instructions for ordered in command.services if ordered.instructions
        },
        "previous_orders": {
            ordered.service.slug: str(ordered.previous_order_id)
            for ordered in command.services
            if ordered.previous_order_id
        },
    }


async def seal_personal(keys: KeyStore, client_id: int, order_id: UUID, document: dict[str, Any]) -> SealedPersonalData:
    """Encrypt with the client's own key; bound to the order, so that it opens nowhere else."""
    key_id, key = await keys.key(client_id)
    return seal(document, key_id, key, order_id.bytes)


async def open_personal(keys: KeyStore, order: Order) -> dict[str, Any] | None:
    """The personal data of an order, or None once the person has been erased."""
    assert order.requested is not None
    sealed = order.requested.personal
    key = await keys.find(sealed.key_id)
    return open_sealed(sealed, key, order.id.bytes) if key is not None else None


def amount_due(
    services: tuple[OrderedService, ...], promotion: PromotionRecord | None, designation: str | None, now: datetime
) -> int:
    """Cents that remain to be paid after the promotion, where it holds for this designation now."""
    terms: PromotionTerms | None = None
    if promotion is not None:
        with suppress(InvalidPromotion):
            terms = require_applicable(promotion, designation=designation, by_application=designation is None, at=now)
    return amount_due_cents(tuple(line_of(ordered) for ordered in services), terms)

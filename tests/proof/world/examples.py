"""Example commands: clients, cards, services, houses and promotions."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any
from uuid import UUID

import msgspec

from application.commands import OrderedService, Requester, SubmitOrder
from application.ports import ClientRecord, PaymentMethodRecord, PromotionRecord, ServiceRecord

PHOTOS = ServiceRecord("photos", 1, "Photos", "primary", False, False, {15: 18_500, 25: 24_500})
TWILIGHT = ServiceRecord("twilight_photography_add_on", 14, "Twilight Photography", "add_on", False, False, {1: 12_500})
SPRING10 = PromotionRecord(UUID(int=500), 1, "SPRING10", 10, None, None, True, None, None)
LESS20 = replace(SPRING10, promotion_id=UUID(int=502), code="LESS20", percent_off=None, amount_off_cents=2_000)
GIFT100 = replace(SPRING10, promotion_id=UUID(int=501), code="GIFT100", percent_off=100)
OVER = replace(SPRING10, promotion_id=UUID(int=503), code="OVER", active=False)
PROMOTIONS = (SPRING10, LESS20, GIFT100, OVER)


@cache
def client(number: int) -> ClientRecord:
    """Every third client has a second recipient, every eleventh one whose mail bounces."""
    more = (f"office{number}@example.com",) if number % 3 == 0 else ()
    if number % 11 == 10:
        more = (*more, f"nobody{number}@example.com")
    return ClientRecord(number, f"Client {number}", f"client{number}@example.com", more)


@cache
def card(client_number: int, number: int = 1, *, expired: bool = False) -> PaymentMethodRecord:
    """One of a client's stored cards."""
    return PaymentMethodRecord(
        id=client_number * 10 + number,
        client_id=client_number,
        customer_profile_id=f"9{client_number:08d}",
        payment_profile_id=f"8{client_number:07d}{number}",
        brand="Visa",
        last4=f"{1000 + number}",
        exp_month=1,
        exp_year=2020 if expired else 2031,
        active=True,
        default=number == 1,
    )


def order(
    request_id: str, *, of_client: int = 1, house: int = 1, promotion: PromotionRecord | None = None, **changes: Any
) -> SubmitOrder:
    """A client orders photos of a house; each house is a thing of its own."""
    command = SubmitOrder(
        request_id=request_id,
        requester=Requester(f"user:{of_client}", "planoorder", "client", "agent"),
        client=client(of_client),
        services=(OrderedService(PHOTOS, 15),),
        catalog_version="catalog-1",
        property_info={"address": {"street": f"{house} Alder Street", "city": "Denver"}},
        property_access=None,
        appointments=(),
        notes=None,
        metadata={},
        promotion_code=promotion.code if promotion else None,
        promotion=promotion,
        payment_method=card(of_client),
        idempotency_key=None,
        request_digest=f"{of_client}/{house}/{promotion.code if promotion else ''}",
    )
    return msgspec.structs.replace(command, **changes)

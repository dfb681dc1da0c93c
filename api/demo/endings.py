"""Every ending that the demo tries: what is sent, and what must come back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

ADA, MIA, ED, NORA = (f"session-{name}-example-token" for name in ("ada", "mia", "ed", "nora"))
OLD = "session-old-example-token"
APPLICATION = "app-planoorder-example-token"
PATH = "/api/v1/orders/pay_and_submit"
JSON = "application/json"


class Given(StrEnum):
    """What is arranged around a request."""

    NOTHING = "nothing"
    GATEWAY_DOWN = "gateway-down"
    ROUTE_NOT_DEPLOYED = "route-not-deployed"
    SERVICE_NOT_DEPLOYED = "service-not-deployed"
    DIRECTORY_BROKEN = "directory-broken"
    LOG_BROKEN = "log-broken"


@dataclass(frozen=True)
class Ending:
    """One request and the answer it must get. `home` numbers the house it is for: another home, another thing."""

    what: str
    status: str
    code: int
    home: int
    detail: str | None = None
    events: tuple[str, ...] = ()  # that the order's own stream must hold
    changes: Mapping[str, Any] = field(default_factory=dict)  # to the ordinary body; None removes a parameter
    given: Given = Given.NOTHING
    path: str = PATH
    content_type: str = JSON
    body: str | None = None  # instead of the ordinary one
    idempotency_key: str | None = None


def ordinary_body(home: int, changes: Mapping[str, Any]) -> dict[str, Any]:
    """A body that Ada would send for her next listing, with the changes."""
    order: dict[str, Any] = {
        "primary_service": {"slug": "photos", "quantity": 15},
        "property_info": {
            "address": {
                "street": f"{home} Alder Street",
                "city": "Denver",
                "province": "us_co",
                "postal_code": "80202",
            },
            "property_type": "single_family",
            "bedrooms": 3,
        },
        "property_access": {
            "vacant": True,
            "method_of_access": "lockbox_code",
            "access_code": "4711",
            "lockbox_location": "front door",
            "onsite_contact_phone": "303-555-0100",
        },
    }
    body: dict[str, Any] = {"token": ADA, "order": order}
    for name, value in changes.items():
        target = order if name in ("client", "primary_service", "add_on_services") else body
        target[name] = value
    return {name: value for name, value in body.items() if value is not None}


PAID = ("Requested", "PaymentAttempted", "PaymentCharged", "Submitted", "EmailSent")
PAID_WITH_PROMOTION = ("Requested", "PromotionApplied", *PAID[1:])
REFUSED = ("Requested", "Refused")
DECLINED = ("Requested", "PaymentAttempted", "PaymentDeclined")
FAILED = ("Requested", "PaymentAttempted", "PaymentFailed")
UNKNOWN = ("Requested", "PaymentAttempted", "PaymentOutcomeUnknown")
GATEWAY_ERROR = "external-application-error"


def _card(payment_method_id: int) -> dict[str, Any]:
    return {"payment_method_id": payment_method_id}


ENDINGS: tuple[Ending, ...] = (
    Ending("paid and submitted", "action-successful", 200, 1, events=PAID),
    Ending(
        "with a promotion and an add-on",
        "action-successful",
        200,
        2,
        events=PAID_WITH_PROMOTION,
        changes={
            "promotion_code": "SPRING10",
            "add_on_services": [{"slug": "twilight_photography_add_on", "quantity": 1}],
        },
    ),
    Ending(
        "nothing to pay",
        "action-successful",
        200,
        3,
        events=("Requested", "PromotionApplied", "PaymentWaived", "Submitted", "EmailSent"),
        changes={"promotion_code": "GIFT100"},
    ),
    Ending(
        "an application orders for a client",
        "action-successful",
        200,
        4,
        events=PAID,
        changes={"token": APPLICATION, "client": {"id": 12}},
    ),
    Ending("first with an idempotency key", "action-successful", 200, 5, events=PAID, idempotency_key="demo-1"),
    Ending("repeated with the same key", "action-successful", 200, 5, events=PAID, idempotency_key="demo-1"),
    Ending("the same thing again", "duplicate-payment", 400, 1, events=PAID),
    Ending("an unknown promotion", "invalid-promotion", 400, 6, events=REFUSED, changes={"promotion_code": "NOPE"}),
    Ending(
        "a promotion for others",
        "invalid-promotion",
        400,
        7,
        events=REFUSED,
        changes={"token": MIA, "promotion_code": "AGENT25"},
    ),
    Ending(
        "a promotion used before", "promotion-expended", 400, 8, events=REFUSED, changes={"promotion_code": "SPRING10"}
    ),
    Ending("an expired card, known here", "card-expired", 400, 9, events=REFUSED, changes=_card(190)),
    Ending("declined", "declined-payment", 400, 10, events=DECLINED, changes=_card(102)),
    Ending("bad card number", "card-number-invalid", 400, 11, events=DECLINED, changes=_card(103)),
    Ending("expired, says the gateway", "card-expired", 400, 12, events=DECLINED, changes=_card(104)),
    Ending("a brand that is not taken", "failed-payment", 400, 13, events=DECLINED, changes=_card(105)),
    Ending(
        "held for review",
        GATEWAY_ERROR,
        400,
        14,
        "payment-held-for-review",
        events=("Requested", "PaymentAttempted", "PaymentHeld"),
        changes=_card(106),
    ),
    Ending("keys refused", "invalid-payment-processor-api-keys", 500, 15, events=FAILED, changes=_card(108)),
    Ending("a gateway error", GATEWAY_ERROR, 400, 16, "gateway-error", events=FAILED, changes=_card(110)),
    Ending("no answer in time", GATEWAY_ERROR, 400, 17, "payment-outcome-unknown", events=UNKNOWN, changes=_card(113)),
    Ending(
        "charged, then cut off", GATEWAY_ERROR, 400, 18, "payment-outcome-unknown", events=UNKNOWN, changes=_card(114)
    ),
    Ending(
        "nonsense from the gateway",
        GATEWAY_ERROR,
        400,
        19,
        "payment-outcome-unknown",
        events=UNKNOWN,
        changes=_card(120),
    ),
    Ending(
        "gateway out of reach",
        GATEWAY_ERROR,
        400,
        20,
        "gateway-unreachable",
        events=("Requested", "PaymentAttempted", "PaymentNotSent"),
        given=Given.GATEWAY_DOWN,
    ),
    Ending("the same after that", "action-successful", 200, 20, events=PAID),
    Ending(
        "the email fails",
        "mandrill-email-failed",
        500,
        21,
        events=(*PAID[:-1], "EmailFailed"),
        changes={"token": ED, "client": {"id": 13}},
    ),
    Ending("no token", "missing-param", 400, 22, changes={"token": None}),
    Ending("an unknown token", "invalid-token", 401, 22, changes={"token": "nobody"}),
    Ending("an old session", "session-expired", 401, 22, changes={"token": OLD}),
    Ending("a user without a role", "client-required", 401, 22, changes={"token": NORA}),
    Ending(
        "a quantity without a price",
        "invalid-param",
        400,
        22,
        changes={"primary_service": {"slug": "photos", "quantity": 16}},
    ),
    Ending("a card of somebody else", "invalid-param", 400, 22, changes=_card(201)),
    Ending("a form instead of JSON", "invalid-content-type", 400, 22, content_type="application/x-www-form-urlencoded"),
    Ending("broken JSON", "invalid-encoded-params", 400, 22, body='{"token": '),
    Ending("an empty body", "no-params-decoded", 400, 22, body="{}"),
    Ending("no such route", "route-non-existent", 500, 22, path="/api/v1/orders/pay"),
    Ending("the route is not deployed", "route-not-found", 404, 22, given=Given.ROUTE_NOT_DEPLOYED),
    Ending("the service is not deployed", "service-not-found", 404, 22, given=Given.SERVICE_NOT_DEPLOYED),
    Ending("the directory cannot be read", "identify-request-error", 500, 22, given=Given.DIRECTORY_BROKEN),
    Ending("our log cannot be written", "application-crash", 500, 22, given=Given.LOG_BROKEN),
)

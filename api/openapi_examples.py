"""One example per status of pay_and_submit, made by the code that makes the answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.envelope import Envelope
from api.statuses import REGISTER_PATH, STATUSES
from application.ports import GatewayCodes

_REQUEST_ID = "req_" + "a2b3c4d5e6f7" * 2 + "g2"

REQUEST_EXAMPLE: Mapping[str, Any] = {
    "token": "session-ada-example-token",
    "promotion_code": "SPRING10",
    "order": {
        "primary_service": {"slug": "photos", "quantity": 15, "service_instructions": "Please include the garden."},
        "property_info": {
            "property_type": "single_family",
            "bedrooms": 3,
            "bathrooms": 2.5,
            "address": {"street": "1 Main Street", "city": "Denver", "province": "us_co", "postal_code": "80202"},
        },
        "property_access": {
            "vacant": True,
            "method_of_access": "lockbox_code",
            "access_code": "1234",
            "lockbox_location": "Front door",
            "onsite_contact_phone": "303-555-0100",
        },
        "appointments": [
            {"start_datetime": "2030-05-01T09:00:00-06:00", "end_datetime": "2030-05-01T11:00:00-06:00", "duration": 2}
        ],
    },
}

_LINE = {
    "slug": "photos",
    "name": "Photos",
    "kind": "primary",
    "quantity": 15,
    "base_price_cents": 18500,
    "discount_cents": 1850,
    "net_price_cents": 16650,
}


def _order(state: str, payment: Mapping[str, Any] | None, **changes: Any) -> dict[str, Any]:
    return {
        "id": "0198f0aa-0000-7000-8000-000000000001",
        "number": "7KQ2-M4XA",
        "state": state,
        "client": {"id": 11, "name": "Ada Agent Realty"},
        "lines": [_LINE],
        "subtotal_cents": 18500,
        "discount_cents": 1850,
        "total_cents": 16650,
        "currency": "USD",
        "promotion": {"code": "SPRING10", "discount_cents": 1850},
        "payment": payment,
        "email": None,
        "requested_at": "2030-04-28T15:00:00Z",
        "submitted_at": None,
        "version": 4,
        **changes,
    }


def _payment(state: str, **changes: Any) -> dict[str, Any]:
    return {
        "state": state,
        "reason": None,
        "payment_method_id": 101,
        "brand": "Visa",
        "last4": "1111",
        "amount_cents": 16650,
        "invoice_number": "ABCDEFGHIJKLMNOPQRST",
        "transaction_id": None,
        "authorization_code": None,
        **changes,
    }


_CHARGED = _payment("charged", transaction_id="60198765432", authorization_code="000123")
_SUBMITTED = _order("submitted", _CHARGED, email={"state": "sent"}, submitted_at="2030-04-28T15:00:01Z")
_EMAIL_FAILED = {**_SUBMITTED, "email": {"state": "failed"}}
_DECLINED = _order("declined", _payment("declined"))
_FAILED = _order("payment_failed", _payment("failed"))
_OPEN = _order("payment_open", _payment("unknown", reason="time-out"))
_REFUSED = _order("refused", None, discount_cents=0, total_cents=18500, promotion=None, version=2)
_REFUSED["lines"] = [_LINE | {"discount_cents": 0, "net_price_cents": 18500}]
_SESSION = {
    "user_id": 3,
    "first_name": "Nora",
    "last_name": "New",
    "designation": None,
    "roles": [],
    "created_at": "2030-04-28T14:00:00Z",
    "last_used_at": "2030-04-28T15:00:00Z",
    "expires_at": None,
    "remember_me": True,
}


def _declined(reason_code: str, response_code: str = "2") -> dict[str, Any]:
    return {"data": {"order": _DECLINED, "position": 42}, "gateway": GatewayCodes(response_code, reason_code)}


_PARTS: Mapping[str, dict[str, Any]] = {
    "action-successful": {"data": {"order": _SUBMITTED, "position": 42}},
    "invalid-promotion": {"param": "promotion_code", "data": {"order": _REFUSED, "position": 42}},
    "promotion-expended": {"param": "promotion_code", "data": {"order": _REFUSED, "position": 42}},
    "declined-payment": _declined("2"),
    "card-number-invalid": _declined("6", "3"),
    "failed-payment": _declined("5", "3"),
    "card-expired": _declined("8", "3"),
    "external-application-error": {
        "detail": "payment-outcome-unknown",
        "data": {"order": _OPEN, "position": 42},
    },
    "invalid-payment-processor-api-keys": {"data": {"order": _FAILED, "position": 42}},
    "client-required": {
        "detail": "register-as-client",
        "data": {"register_at": REGISTER_PATH},
        "shown": {"session": _SESSION},
    },
    "missing-param": {"param": "order.primary_service.quantity"},
    "invalid-param": {"param": "order.add_on_services[0].slug"},
    "mandrill-email-failed": {"data": {"order": _EMAIL_FAILED, "position": 42}},
    "duplicate-payment": {"data": {"order": _SUBMITTED, "position": 42}, "retry_after_seconds": 90},
    "invalid-encoded-params": {"detail": "not-json"},
    "rate-limit-exceeded": {"retry_after_seconds": 12},
    "server-overloaded": {"retry_after_seconds": 1},
}

ANSWER_EXAMPLES: Mapping[str, Envelope] = {
    slug: Envelope(slug, _REQUEST_ID, **_PARTS.get(slug, {})) for slug in STATUSES
}

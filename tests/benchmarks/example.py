"""Reference data for the benchmark, and the requests: every order is for another home, with an unused promotion."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

USERS: Final = 500
PROMOTIONS: Final = 1_000  # times users: the orders that one database can take
PATH: Final = "/api/v1/orders/pay_and_submit"

_RECORDS: Final[dict[str, Any]] = {
    "api_services": [
        {
            "slug": "orders",
            "deployed": True,
            "routes": [
                {
                    "slug": "pay_and_submit",
                    "method": "POST",
                    "path": PATH,
                    "deployed": True,
                    "sensitive_params": False,
                }
            ],
        }
    ],
    "applications": [
        {
            "slug": "planoorder",
            "name": "PlanoOrder",
            "token": "app-planoorder-example-token",
            "roles": ["client"],
            "permissions": ["orders.pay_and_submit", "orders.read"],
        }
    ],
    "services": [
        {
            "slug": "exterior_photos",
            "group_id": 1,
            "name": "Exterior Photos",
            "kind": "primary",
            "access_required": False,
            "prices_cents": {"1": 4000, "3": 6500, "4": 7500, "5": 8500},
        }
    ],
}


def directory_of(users: int = USERS, promotions: int = PROMOTIONS) -> dict[str, Any]:
    """Users 0 to `users` - 1, each with a client, a session and a card; user ids and client ids are one higher."""
    always = {"percent_off": 10, "designation": None, "active": True, "starts_at": None, "ends_at": None}
    return {
        **_RECORDS,
        "users": [
            {
                "id": user + 1,
                "email": f"user{user}@example.com",
                "first_name": "User",
                "last_name": str(user),
                "designation": "agent",
                "roles": [{"role": "client", "client_id": user + 1}],
            }
            for user in range(users)
        ],
        "clients": [
            {"id": user + 1, "name": f"Client {user}", "email": f"client{user}@example.com", "additional_emails": []}
            for user in range(users)
        ],
        "sessions": [
            {"token": _token(user), "user_id": user + 1, "created_at": "now", "last_used_at": "now"}
            | {"remember_me": True}
            for user in range(users)
        ],
        "payment_methods": [_card(user) for user in range(users)],
        "promotions": [{"code": f"TEN-{number}", **always} for number in range(promotions)],
    }


def write_directory(folder: Path) -> Path:
    file = folder / "directory.json"
    file.write_text(json.dumps(directory_of()))
    return file


def body_of(order: int) -> bytes:
    """The body of the order with this number; the numbers of one database must not come twice."""
    user, promotion = order % USERS, order // USERS % PROMOTIONS
    return _BODY % (_token(user).encode(), promotion, order)


def _token(user: int) -> str:
    return f"session-{user}-example-token"


def _card(user: int) -> dict[str, Any]:
    return {
        "id": user + 1,
        "client_id": user + 1,
        "customer_profile_id": str(910_000_000 + user),
        "payment_profile_id": "800000001",
        "brand": "Visa",
        "last4": "1111",
        "exp_month": 12,
        "exp_year": 2039,
        "active": True,
        "default": True,
    }


_BODY: Final = (
    b'{"token": "%b", "promotion_code": "TEN-%d", "order": {"primary_service": {"slug": "exterior_photos",'
    b' "quantity": 5, "service_instructions": "Please wait for the sun."}, "property_info": {"price": 450000,'
    b' "sqft": 1850, "bedrooms": 3, "bathrooms": 2.5, "property_type": "single_family", "address": {"street":'
    b' "%d Alder Street", "city": "Denver", "province": "us_co", "postal_code": "80202"}}, "property_access":'
    b' {"vacant": true, "method_of_access": "lockbox_code", "access_code": "4711", "lockbox_location": "Front door",'
    b' "onsite_contact_phone": "303-555-0100"}}}'
)

"""Reference data for any number of users, each with a client, a session and two cards; and their requests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from api.sandbox.authorizenet.profiles import PROFILE_IDS

RECORDS: dict[str, Any] = {
    "api_services": [
        {
            "slug": "orders",
            "deployed": True,
            "routes": [
                {
                    "slug": "pay_and_submit",
                    "method": "POST",
                    "path": "/api/v1/orders/pay_and_submit",
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
    "promotions": [
        {
            "code": "SPRING10",
            "percent_off": 10,
            "designation": None,
            "active": True,
            "starts_at": None,
            "ends_at": None,
        }
    ],
}
PRICES_CENTS = RECORDS["services"][0]["prices_cents"]
GOOD, DECLINED = "approved", "declined"


def directory_of(users: int) -> dict[str, Any]:
    """Users 1 to `users`; user n belongs to client 1000 + n."""
    numbers = range(1, users + 1)
    return {
        **RECORDS,
        "users": [
            {
                "id": n,
                "email": f"user{n}@example.com",
                "first_name": "User",
                "last_name": str(n),
                "designation": "agent",
                "roles": [{"role": "client", "client_id": 1000 + n}],
            }
            for n in numbers
        ],
        "clients": [
            {"id": 1000 + n, "name": f"Client {n}", "email": f"client{n}@example.com", "additional_emails": []}
            for n in numbers
        ],
        "sessions": [
            {"token": token(n), "user_id": n, "created_at": "now", "last_used_at": "now", "remember_me": True}
            for n in numbers
        ],
        "payment_methods": [_card(n, outcome) for n in numbers for outcome in (GOOD, DECLINED)],
    }


def written(users: int, folder: Path) -> Path:
    """A directory file."""
    file = folder / "directory.json"
    file.write_text(json.dumps(directory_of(users)))
    return file


def token(user: int) -> str:
    return f"session-{user}-example-token"


def card_id(user: int, outcome: str) -> int:
    return 10 * user + (GOOD, DECLINED).index(outcome)


def _card(user: int, outcome: str) -> dict[str, Any]:
    return {
        "id": card_id(user, outcome),
        "client_id": 1000 + user,
        "customer_profile_id": str(910_000_000 + user),
        "payment_profile_id": PROFILE_IDS[outcome],
        "brand": "Visa",
        "last4": "1111",
        "exp_month": 12,
        "exp_year": 2039,
        "active": True,
        "default": outcome == GOOD,
    }


def body(user: int, house: int, *, quantity: int = 1, promotion: str | None = None, card: str = GOOD) -> dict[str, Any]:
    """User n orders photos of a house."""
    address = {"street": f"{house} Alder Street", "city": "Denver", "province": "us_co", "postal_code": "80202"}
    asked: dict[str, Any] = {
        "token": token(user),
        "payment_method_id": card_id(user, card),
        "order": {
            "primary_service": {"slug": "exterior_photos", "quantity": quantity},
            "property_info": {"address": address},
        },
    }
    return asked | ({"promotion_code": promotion} if promotion else {})

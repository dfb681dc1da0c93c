"""A small directory file: two users, clients, cards, services and promotions; any section can be replaced."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

EXAMPLE: dict[str, Any] = {
    "api_services": [
        {
            "slug": "orders",
            "deployed": True,
            "routes": [
                {
                    "slug": "pay",
                    "method": "POST",
                    "path": "/api/v1/pay",
                    "deployed": True,
                    "sensitive_params": False,
                }
            ],
        }
    ],
    "applications": [
        {
            "slug": "shop",
            "name": "Shop",
            "token": "app-shop-token",
            "roles": ["client", "employee"],
            "permissions": ["orders.pay_and_submit"],
        }
    ],
    "users": [
        {
            "id": 1,
            "email": "carla@example.com",
            "first_name": "Carla",
            "last_name": "Client",
            "designation": "agent",
            "roles": [{"role": "client", "client_id": 11}],
        },
        {
            "id": 2,
            "email": "emil@example.com",
            "first_name": "Emil",
            "last_name": "Employee",
            "designation": None,
            "roles": [{"role": "employee"}],
        },
    ],
    "clients": [
        {
            "id": 11,
            "name": "Carla Homes",
            "email": "orders@carla.example.com",
            "additional_emails": ["b@carla.example.com"],
        },
        {"id": 12, "name": "Other Homes", "email": "orders@other.example.com", "additional_emails": []},
    ],
    "sessions": [
        {
            "token": "session-carla-token",
            "user_id": 1,
            "created_at": "now-2d",
            "last_used_at": "now-1h",
            "remember_me": False,
        },
        {
            "token": "session-emil-token",
            "user_id": 2,
            "created_at": "2026-02-27T08:00:00-07:00",
            "last_used_at": "now",
            "remember_me": True,
        },
    ],
    "payment_methods": [
        {
            "id": 101,
            "client_id": 11,
            "customer_profile_id": "900000001",
            "payment_profile_id": "800000001",
            "brand": "Visa",
            "last4": "1111",
            "exp_month": 12,
            "exp_year": 2031,
            "active": True,
            "default": True,
        },
        {
            "id": 102,
            "client_id": 11,
            "customer_profile_id": "900000001",
            "payment_profile_id": "800000002",
            "brand": "Mastercard",
            "last4": "0004",
            "exp_month": 1,
            "exp_year": 2030,
            "active": False,
            "default": False,
        },
    ],
    "services": [
        {
            "slug": "photos",
            "group_id": 1,
            "name": "Photos",
            "kind": "primary",
            "access_required": True,
            "prices_cents": {"10": 15000, "15": 18500},
        },
        {
            "slug": "staging",
            "group_id": None,
            "name": "Staging",
            "kind": "add_on",
            "access_required": False,
            "prices_cents": {"1": 0},
            "previous_order_required": True,
        },
    ],
    "promotions": [
        {
            "code": "Spring10",
            "percent_off": 10,
            "designation": None,
            "active": True,
            "starts_at": "now-1d",
            "ends_at": "now+30m",
        },
        {
            "id": "5d0c3a3e-8f4e-4d0c-9a60-8d3f2b8f1c11",
            "code": "AGENT25",
            "amount_off_cents": 2500,
            "designation": "agent",
            "active": True,
            "starts_at": None,
            "ends_at": None,
        },
    ],
}


def example(**sections: Any) -> dict[str, Any]:
    """A copy of the example, with these sections instead of its own."""
    return deepcopy(EXAMPLE) | sections


def file_of(content: Any) -> bytes:
    return json.dumps(content).encode()

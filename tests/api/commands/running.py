"""Runs `orders ...` in this process, with the settings of a running product."""

from __future__ import annotations

import json
from typing import Any

from typer.testing import CliRunner, Result

from api.cli import app
from tests.api.webhooks.world import World
from tests.end_to_end.world import ED


def orders(world: World, *arguments: str, **settings: str) -> Result:
    """The result of the command; its output holds stdout and stderr."""
    ours = world.settings
    env = {
        "ORDERS_DATABASE_URL": ours.database_url,
        "ORDERS_AUTHORIZENET_URL": ours.authorizenet_url,
        "ORDERS_MANDRILL_URL": ours.mandrill_url,
        **settings,
    }
    return CliRunner().invoke(app, arguments, env=env, catch_exceptions=False)


def as_json(result: Result) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(result.stdout)
    return content


def events(world: World, order_id: str) -> list[dict[str, Any]]:
    """What happened to the order, as the API tells it."""
    found: list[dict[str, Any]] = world.get(f"/api/v1/orders/{order_id}/events", ED).data["events"]
    return found

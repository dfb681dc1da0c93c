"""Notifications are listed, seen and resolved, by command and by HTTP, for those who may."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.api.commands.running import as_json, orders
from tests.api.webhooks.world import World
from tests.end_to_end.client import Answer
from tests.end_to_end.world import ADA, ED, FAY

PATH = "/api/v1/notifications"


def raised(world: World) -> str:
    """The id of a new notification."""
    order = world.order(payment_method_id=108)  # the gateway refuses our keys
    listed = as_json(orders(world, "notifications", "list", "--json"))["notifications"]
    (found,) = [row for row in listed if row["order_id"] == order["id"]]
    assert (found["state"], found["kind"]) == ("new", "gateway-keys-refused")
    return str(found["id"])


def state_of(world: World, notification_id: str) -> str:
    listed = as_json(orders(world, "notifications", "list", "--json"))["notifications"]
    return next(str(row["state"]) for row in listed if row["id"] == notification_id)


def post(world: World, path: str, token: str | None = ED, body: Any = None, media: str = "application/json") -> Answer:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return world.send("POST", path, content, {**headers, "Content-Type": media})


def test_an_operator_lists_sees_and_resolves_them(world: World) -> None:
    notification = raised(world)
    seen = orders(world, "notifications", "seen", notification, "--json")
    assert (seen.exit_code, as_json(seen)["notification"]["state"]) == (0, "seen")
    listed = orders(world, "notifications", "list", "--state", "seen")
    assert notification in listed.stdout
    resolved = orders(world, "notifications", "resolve", notification, "--reason", "keys replaced")
    assert (resolved.exit_code, "resolved" in resolved.stdout) == (0, True)
    assert notification not in orders(world, "notifications", "list", "--state", "new").stdout
    assert state_of(world, notification) == "resolved"


@pytest.mark.parametrize("notification", ["71d12dc3-e855-42da-898c-8d773e041105", "no-id"])
def test_one_that_does_not_exist_is_exit_code_2(world: World, notification: str) -> None:
    for arguments in (("seen", notification), ("resolve", notification, "--reason", "x")):
        assert orders(world, "notifications", *arguments).exit_code == 2


@pytest.mark.parametrize("token", [ED, FAY])
def test_readers_see_and_resolve_them_over_http(world: World, token: str) -> None:
    notification = raised(world)
    seen = post(world, f"{PATH}/{notification}/seen", token)
    seen.require_envelope("action-successful", 200)
    assert seen.data["notification"]["state"] == "seen"
    resolved = post(world, f"{PATH}/{notification}/resolve", token, {"reason": "keys replaced"})
    assert (resolved.code, resolved.data["notification"]["state"]) == (200, "resolved")
    again = post(world, f"{PATH}/{notification}/seen", token, {})
    assert (again.code, again.data["notification"]["state"]) == (200, "resolved")
    assert state_of(world, notification) == "resolved"


@pytest.mark.parametrize("action", ["seen", "resolve"])
def test_nobody_else_may(world: World, action: str) -> None:
    path, body = f"{PATH}/{raised(world)}/{action}", {"reason": "x"} if action == "resolve" else None
    assert post(world, path, None, body).fault == ("missing-param", "token")
    assert post(world, path, "wrong", body).status == "invalid-token"
    assert post(world, path, ADA, body).fault == ("invalid-param", "application")


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"reason": ""}, ("invalid-param", "reason")),
        ({"reason": "x" * 501}, ("invalid-param", "reason")),
        ({"reason": 7}, ("invalid-param", "reason")),
        ({"reason": "x", "more": 1}, ("invalid-param", "body")),
        ({"more": 1}, ("missing-param", "reason")),
        ({"reason": None}, ("no-params-decoded", None)),
        (b"{", ("invalid-encoded-params", None)),
        (None, ("no-params-decoded", None)),
    ],
)
def test_a_resolution_needs_a_reason(world: World, body: Any, fault: tuple[str, str | None]) -> None:
    answer = post(world, f"{PATH}/{uuid4()}/resolve", ED, body)
    assert answer.fault == fault
    answer.require_envelope(fault[0], 400)


def test_what_does_not_exist_or_is_no_action_is_refused(world: World) -> None:
    for notification in (str(uuid4()), "no-id"):
        for answer in (
            post(world, f"{PATH}/{notification}/seen"),
            post(world, f"{PATH}/{notification}/resolve", ED, {"reason": "x"}),
        ):
            assert answer.fault == ("invalid-param", "id")
    assert post(world, f"{PATH}/{uuid4()}/seen", ED, {"reason": "x"}).fault == ("invalid-param", "body")
    assert post(world, f"{PATH}/{uuid4()}/resolve", ED, {"reason": "x"}, "text/plain").status == "invalid-content-type"
    assert world.send("GET", f"{PATH}/{uuid4()}/seen").status == "route-non-existent"


def test_both_actions_are_described(world: World) -> None:
    described = world.send("GET", "/openapi.json").json["paths"]
    for action in ("seen", "resolve"):
        operation = described[f"{PATH}/{{notification_id}}/{action}"]["post"]
        assert operation["security"] == [{"token": []}]
        assert operation["summary"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert (schema["required"], schema["properties"]["reason"]["maxLength"]) == (["reason"], 500)

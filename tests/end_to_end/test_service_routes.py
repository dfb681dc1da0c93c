"""What stands beside the orders: notifications, health, figures, and the description of the API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.end_to_end.client import ORDERS, PAY
from tests.end_to_end.world import ADA, ED, FAY, LEE, NORA, PLANOORDER, UNREACHABLE_CLIENT, World, eventually

NOTIFICATIONS = "/api/v1/notifications"
FIELDS = {"id", "kind", "state", "order_id", "message", "action", "raised_at"}


def notifications_of(world: World, order_id: str, token: str = ED) -> list[dict[str, Any]]:
    answer = world.get(NOTIFICATIONS, token)
    answer.require_envelope("action-successful", 200)
    assert set(answer.data) == {"notifications", "next_cursor", "position"}
    return [row for row in answer.data["notifications"] if row["order_id"] == order_id]


@pytest.mark.parametrize(
    ("body", "order", "kind"),
    [
        ({"token": ED}, {"client": UNREACHABLE_CLIENT}, "email-failed"),
        ({"payment_method_id": 108}, {}, "gateway-keys-refused"),
    ],
)
def test_trouble_that_needs_a_person_is_in_the_notifications_once(
    world: World, body: dict[str, Any], order: dict[str, Any], kind: str
) -> None:
    order_id = world.pay(world.body(order, **body)).order["id"]

    eventually(lambda: bool(notifications_of(world, order_id)))
    (row,) = notifications_of(world, order_id)

    assert set(row) == FIELDS
    assert (row["kind"], row["state"]) == (kind, "new")
    assert row["message"]
    assert row["action"]
    assert notifications_of(world, order_id, FAY) == [row]


def test_who_may_read_the_notifications(world: World) -> None:
    refused = {ADA: "invalid-param", LEE: "invalid-param", NORA: "invalid-param", PLANOORDER: "invalid-param"}

    assert {token: world.get(NOTIFICATIONS, token).status for token in refused} == refused
    assert world.get(NOTIFICATIONS, None).fault == ("missing-param", "token")
    assert world.get(NOTIFICATIONS, "nobody").status == "invalid-token"
    assert world.get(NOTIFICATIONS, ED, {"state": "loud"}).fault == ("invalid-param", "state")
    assert world.get(NOTIFICATIONS, ED, {"state": "resolved"}).data["notifications"] == []


def test_health_says_whether_the_process_runs_and_can_serve(world: World) -> None:
    live, ready = world.send("GET", "/health/live"), world.send("GET", "/health/ready")

    assert (live.code, live.json) == (200, {"status": "live"})
    assert (ready.code, ready.json["status"]) == (200, "ready")
    assert all(check["ok"] for check in ready.json["checks"].values())


@pytest.mark.parametrize(
    ("table", "check"), [("stored_events", "log"), ("directory_applications", "directory")], ids=["log", "directory"]
)
def test_a_process_without_its_store_lives_and_is_not_ready(world: World, table: str, check: str) -> None:
    with world.without(table):
        live, ready = world.send("GET", "/health/live"), world.send("GET", "/health/ready")
        figures = world.send("GET", "/metrics").text

    assert (live.code, ready.code, ready.json["status"]) == (200, 503, "not-ready")
    assert [name for name, found in ready.json["checks"].items() if not found["ok"]] == [check]
    assert f'orders_check_ok{{check="{check}"}} 0.0' in figures


def test_metrics_are_figures_for_prometheus(world: World) -> None:
    answer = world.send("GET", "/metrics")

    assert answer.code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    figures = dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
    assert float(figures["orders_log_position"]) == world.database.position()
    assert float(figures["orders_under_way"]) == 0
    assert figures['orders_check_ok{check="log"}'] == "1.0"


def test_the_description_is_whole_and_has_an_example_of_every_status(world: World) -> None:
    described = world.send("GET", "/openapi.json").json

    assert described["openapi"].startswith("3.1")
    assert {PAY, ORDERS, ORDERS + "/{order_id}", ORDERS + "/{order_id}/events", NOTIFICATIONS} <= set(
        described["paths"]
    )
    responses = described["paths"][PAY]["post"]["responses"]
    examples = {
        (slug, int(code)): example["value"]
        for code, response in responses.items()
        for slug, example in response["content"]["application/json"]["examples"].items()
    }
    assert len(examples) == 26
    assert all((shown["status"], shown["code"]) == key for key, shown in examples.items())
    for reference in references(described):
        at: Any = described
        for step in reference.removeprefix("#/").split("/"):
            at = at[step]


def references(node: Any) -> Iterator[str]:
    """Every $ref below a node."""
    if isinstance(node, dict):
        yield from ([node["$ref"]] if isinstance(node.get("$ref"), str) else [])
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_the_page_of_the_description_needs_no_other_server(world: World) -> None:
    page = world.send("GET", "/docs")

    assert page.code == 200
    assert "//" not in re.sub(r"<!--.*?-->", "", page.text)
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    for source in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        if not source.startswith("data:"):
            assert world.send("GET", f"/{source}").code == 200
    assert "//" not in world.send("GET", "/docs/start.js").text

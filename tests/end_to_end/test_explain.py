"""An order explained over HTTP and by command, replayed, and every look at its personal data on record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from tests.end_to_end.client import ORDERS
from tests.end_to_end.database import Database
from tests.end_to_end.world import ADA, ED, FAY, LEE, MIA, NORA, PLANOORDER, World, a_body, eventually

UNKNOWN_ID = "0198f0aa-0000-7000-8000-000000000001"


def explanation(world: World, order_id: str, token: str) -> dict[str, Any]:
    answer = world.get(f"{ORDERS}/{order_id}/explain", token)
    answer.require_envelope("action-successful", 200)
    found: dict[str, Any] = answer.data["explanation"]
    return found


def audit(world: World, *arguments: str) -> Result:
    """`orders audit ...` beside the running product."""
    settings = {"ORDERS_DATABASE_URL": world.settings.database_url}
    return CliRunner().invoke(app, ["audit", *arguments], env=settings, catch_exceptions=False)


def an_order(world: World) -> dict[str, Any]:
    answer = world.pay(world.body({"notes": "Ring twice."}, promotion_code=world.promotion("TEN")))
    answer.require_envelope("action-successful", 200)
    return answer.order


def looks(world: World, order: dict[str, Any]) -> list[tuple[str, str]]:
    """Who looked at it, and where."""
    result = audit(world, "looks", "--client", "11", "--json")
    assert result.exit_code == 0, result.output
    return [(look["actor"], look["reason"]) for look in json.loads(result.stdout) if look["order_id"] == order["id"]]


def test_the_whole_story_has_rules_gateway_postings_and_seals(world: World) -> None:
    order = an_order(world)
    eventually(lambda: all(step["seal"] for step in explanation(world, order["id"], FAY)["steps"]))
    eventually(lambda: all(step["postings"] is not None for step in explanation(world, order["id"], FAY)["steps"]))

    found = explanation(world, order["id"], FAY)

    steps = {step["name"]: step for step in found["steps"]}
    assert list(steps) == [
        "Requested", "PromotionApplied", "PaymentAttempted", "Opened", "Reserved",
        "PaymentCharged", "Submitted", "Closed", "Redeemed", "EmailSent",
    ]  # fmt: skip
    assert steps["PromotionApplied"]["rule"]["inputs"]["percent_off"] == 10
    charged = steps["PaymentCharged"]
    assert charged["gateway"]["response"] == "approved"
    assert sum(posting["debit_cents"] - posting["credit_cents"] for posting in charged["postings"]) == 0
    assert sum(posting["debit_cents"] for posting in charged["postings"]) > 0
    assert charged["seal"]["position"] >= charged["position"]
    assert {"field": "payment.state", "before": "attempted", "after": "charged"} in charged["changes"]


def test_who_may_see_an_explanation_and_how_much_of_it(world: World) -> None:
    order = an_order(world)

    for token in (ED, LEE, FAY):
        assert explanation(world, order["id"], token)["steps"][0]["causation_id"]
    for token in (ADA, PLANOORDER):
        told = explanation(world, order["id"], token)
        assert {step["causation_id"] for step in told["steps"]} == {None}
        assert {json.dumps(step["postings"]) for step in told["steps"]} == {"null"}
    assert world.get(f"{ORDERS}/{order['id']}/explain", MIA).fault == ("invalid-param", "id")
    assert world.get(f"{ORDERS}/{UNKNOWN_ID}/explain", ED).fault == ("invalid-param", "id")
    assert world.get(f"{ORDERS}/nonsense/explain", ED).fault == ("invalid-param", "id")
    assert world.get(f"{ORDERS}/{order['id']}/explain", NORA).status == "client-required"
    assert world.get(f"{ORDERS}/{order['id']}/explain", None).fault == ("missing-param", "token")
    assert world.get(f"{ORDERS}/{order['id']}/explain", ED, {"x": "1"}).status == "invalid-param"


def test_no_personal_data_is_in_an_explanation(world: World) -> None:
    order = an_order(world)
    text = world.get(f"{ORDERS}/{order['id']}/explain", ED).text

    assert "personal_fields_given" in text
    for secret in ("Ring twice", "Main Street", "4711", "Ada Agent"):
        assert secret not in text
    assert looks(world, order) == []


def test_a_look_at_personal_data_by_others_than_its_client_is_on_record_once(world: World) -> None:
    order = an_order(world)
    path = f"{ORDERS}/{order['id']}"

    for token in (ADA, ED, ED, LEE):
        world.get(path, token, {"view": "order_read"}).require_envelope("action-successful", 200)
    world.get(path, FAY, {"view": "order_read"})  # who may not read it has seen nothing
    world.get(path, MIA, {"view": "order_read"})
    world.get(path, ED, {"view": "default"})

    reason = f"GET {ORDERS}/{{id}} view=order_read"
    assert looks(world, order) == [("user:2", reason), ("user:5", reason)]


def test_a_list_with_personal_data_is_a_look_at_each_of_its_orders(world: World) -> None:
    order = an_order(world)
    eventually(lambda: order["id"] in world.get(ORDERS, ED, {"q": order["number"]}).text)
    assert looks(world, order) == []

    world.get(ORDERS, ED, {"q": order["number"], "view": "order_receipt"}).require_envelope("action-successful", 200)

    assert looks(world, order) == [("user:2", f"GET {ORDERS} view=order_receipt")]


def test_the_order_in_the_way_shown_to_somebody_else_is_a_look(world: World) -> None:
    body = world.body()
    order = world.pay(body).order
    again = {**body, "token": ED, "order": {**body["order"], "client": {"id": 11}}, "payment_method_id": 101}

    answer = world.pay({**again, "view": "order_read"})

    assert answer.status == "duplicate-payment", answer.text
    assert answer.order["id"] == order["id"]
    assert looks(world, order) == [("user:2", f"POST {ORDERS}/pay_and_submit view=order_read")]


def test_the_command_explains_an_order_by_its_short_number(world: World) -> None:
    order = an_order(world)

    result = audit(world, "explain", order["number"])

    assert result.exit_code == 0, result.output
    assert f"Order {order['number']} of client 11: submitted" in result.stdout
    assert "rule promotion-terms-of-that-moment" in result.stdout
    assert "payment.state: attempted → charged" in result.stdout
    as_json = json.loads(audit(world, "explain", order["id"], "--json").stdout)
    assert as_json["steps"][0]["name"] == "Requested"
    assert audit(world, "explain", UNKNOWN_ID).exit_code == 2


def test_the_command_replays_the_product_s_own_log_without_a_mismatch(world: World) -> None:
    order = an_order(world)

    whole = audit(world, "replay", "--json")

    found = json.loads(whole.stdout)
    assert (whole.exit_code, found["mismatches"], found["first"]) == (0, 0, None), whole.output
    assert found["events"] >= found["orders"] > 0
    one = json.loads(audit(world, "replay", order["id"], "--json").stdout)
    assert (one["order"]["state"], one["consistent"]) == ("submitted", True)
    assert one["totals"][2] == {"name": "total_cents", "recorded_cents": 16_650, "recomputed_cents": 16_650}
    then = audit(world, "replay", order["id"], "--at", order["requested_at"], "--json")
    assert json.loads(then.stdout)["order"]["state"] == "payment_open"
    assert audit(world, "replay", order["id"], "--at", "2020-01-01T00:00:00Z").exit_code == 2


@pytest.mark.parametrize("at", ["yesterday", "2026-11-23T12:00:00", "-5"])
def test_a_moment_that_is_none_is_refused(world: World, at: str) -> None:
    result = audit(world, "replay", f"--at={at}")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "--at is a position, or an instant with its offset" in result.stderr


def test_the_command_tells_what_another_policy_would_have_changed(world: World) -> None:
    code = world.promotion("TEN")
    order = world.pay(a_body(next(world.homes), promotion_code=code)).order

    result = audit(world, "what-if", "--promotion", f"{code}=percent:20", "--json")

    found = json.loads(result.stdout)
    assert result.exit_code == 0
    (difference,) = found["orders_that_differ"]
    assert (difference["order_id"], difference["delta_cents"]) == (order["id"], -1_850)
    assert found["cannot_know"]
    assert audit(world, "what-if").exit_code == 2
    assert audit(world, "what-if", "--promotion", "NOSUCH=off").exit_code == 2
    people = audit(world, "what-if", "--duplicate-window", "300")
    assert (people.exit_code, "It cannot know:" in people.stdout) == (0, True)


@contextmanager
def without_seals(world: World) -> Iterator[None]:
    """The table of the seals is away for a while."""
    database = Database(world.settings.seals_url)
    schema = "" if database.kind == "sqlite" else "seals."
    database._execute(f"ALTER TABLE {schema}checkpoints RENAME TO checkpoints_away")
    try:
        yield
    finally:
        database._execute(f"ALTER TABLE {schema}checkpoints_away RENAME TO checkpoints")


def test_an_order_is_explained_without_the_seals_while_they_cannot_be_read(world: World) -> None:
    order = an_order(world)

    with without_seals(world):
        found = explanation(world, order["id"], FAY)

    assert found["unavailable"] == ["seals"]
    assert [step["seal"] for step in found["steps"]] == [None] * len(found["steps"])

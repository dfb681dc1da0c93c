"""`orders emails resend`: asked for in the log, tried at once, and told how it ended."""

from __future__ import annotations

import json
import urllib.request

from tests.api.commands.running import as_json, events, orders
from tests.api.webhooks.world import World
from tests.end_to_end.world import ED

WHY = ("--reason", "the client cannot find it")


def sent_to(world: World, order_id: str) -> int:
    """How many messages the mail provider has accepted for the order."""
    with urllib.request.urlopen(f"{world.vendors.mail.url}/_ledger", timeout=5) as answer:
        rows = json.loads(answer.read())["messages"]
    return sum(row["metadata"]["order_id"] == order_id for row in rows)


def test_a_confirmation_is_sent_again_at_once(world: World) -> None:
    order = world.order()
    assert sent_to(world, order["id"]) == 1
    result = orders(world, "emails", "resend", order["number"], *WHY, "--actor", "olga")
    assert result.exit_code == 0
    assert result.stdout == f"sent: the confirmation of order {order['number']}, to 1 recipient(s)\n"
    assert sent_to(world, order["id"]) == 2
    (asked,) = [event for event in events(world, order["id"]) if "email-resend-requested" in event["topic"]]
    assert asked["actor"] == "operator:olga"


def test_one_that_cannot_be_sent_is_exit_code_1_and_left_to_the_outbox(world: World) -> None:
    body = {"client": {"id": 13}}
    order = world.order(token=ED, order=body, payment_method_id=301)
    result = orders(world, "emails", "resend", order["id"], *WHY, "--json")
    content = as_json(result)
    assert (result.exit_code, content["finished"], content["email_state"]) == (1, False, "failed")
    assert "outbox sends it" in content["message"]


def test_an_order_that_was_never_submitted_is_exit_code_2(world: World) -> None:
    order = world.order(payment_method_id=102)
    result = orders(world, "emails", "resend", order["id"], *WHY)
    assert (result.exit_code, "never submitted" in result.stderr) == (2, True)

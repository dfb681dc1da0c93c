"""`orders payments`: who, why, and how it ended, in words, in JSON and in the exit code."""

from __future__ import annotations

import getpass
from uuid import uuid4

import pytest

from tests.api.commands.running import as_json, events, orders
from tests.api.webhooks.world import World

WHY = ("--reason", "the client withdrew")


def test_a_void_is_confirmed_and_the_log_names_operator_and_reason(world: World) -> None:
    order = world.order()
    result = orders(world, "payments", "void", order["id"], *WHY, "--actor", "olga")
    assert (result.exit_code, result.stdout) == (0, f"voided: $185.00 of order {order['number']}\n")
    assert world.current(order)["state"] == "voided"
    (asked,) = [event for event in events(world, order["id"]) if "void-requested" in event["topic"]]
    assert asked["actor"] == "operator:olga"


def test_the_short_number_names_an_order_and_the_login_name_the_operator(world: World) -> None:
    order = world.order()
    result = orders(world, "payments", "void", order["number"].lower(), *WHY, "--json")
    content = as_json(result)
    assert (result.exit_code, content["order_id"], content["state"]) == (0, order["id"], "voided")
    assert (content["finished"], content["payment_state"], content["amount_cents"]) == (True, "voided", 18_500)
    actors = {event["actor"] for event in events(world, order["id"])}
    assert f"operator:{getpass.getuser()}" in actors


def test_a_settled_charge_is_refunded_and_the_wrong_command_says_which_is_right(world: World) -> None:
    order = world.order()
    early = orders(world, "payments", "refund", order["id"], *WHY)
    assert (early.exit_code, early.stdout) == (2, "")
    assert "orders payments void" in early.stderr
    world.control(f"{world.vendors.gateway.url}/_ledger/settle")
    late = orders(world, "payments", "void", order["id"], *WHY)
    assert late.exit_code == 2
    assert "orders payments refund" in late.stderr

    result = orders(world, "payments", "refund", order["id"], *WHY)
    assert (result.exit_code, result.stdout) == (0, f"refunded: $185.00 of order {order['number']}\n")
    assert world.current(order)["state"] == "refunded"
    again = orders(world, "payments", "refund", order["id"], *WHY)
    assert (again.exit_code, "refunded already" in again.stderr) == (2, True)


def test_a_void_that_is_not_confirmed_yet_is_exit_code_1_and_the_service_finishes_it(world: World) -> None:
    order = world.order()
    faults = f"{world.vendors.gateway.url}/_faults"
    world.control(faults, {"operation": "voidTransaction", "outcome": "dropped-before-charge"})
    result = orders(world, "payments", "void", order["id"], *WHY)
    assert result.exit_code == 1
    assert result.stdout.startswith("the void is requested and not confirmed yet")

    again = orders(world, "payments", "void", order["id"], *WHY)
    assert again.exit_code == 0
    assert sum("void-requested" in event["topic"] for event in events(world, order["id"])) == 1


@pytest.mark.parametrize("name", ["0be2f16f-5f31-4226-a09e-805013da2ecc", "NOBOD-Y0000", "; DROP TABLE"])
def test_an_unknown_order_is_exit_code_2(world: World, name: str) -> None:
    result = orders(world, "payments", "void", name, *WHY)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "there is no such order" in result.stderr


def test_an_order_that_was_not_charged_is_exit_code_2(world: World) -> None:
    order = world.order(payment_method_id=102)
    result = orders(world, "payments", "void", order["id"], *WHY)
    assert (result.exit_code, "no charge" in result.stderr) == (2, True)


@pytest.mark.parametrize("arguments", [(), ("--reason", ""), ("--reason", " "), ("--reason", "x" * 501)])
def test_a_reason_must_be_given(world: World, arguments: tuple[str, ...]) -> None:
    result = orders(world, "payments", "void", str(uuid4()), *arguments)
    assert result.exit_code == 2
    assert "--reason" in result.stderr


def test_settings_that_cannot_be_used_are_exit_code_2(world: World) -> None:
    bad = orders(world, "payments", "void", str(uuid4()), *WHY, ORDERS_GATEWAY_DEADLINE_S="never")
    assert (bad.exit_code, "ORDERS_GATEWAY_DEADLINE_S" in bad.stderr) == (2, True)
    production = orders(world, "payments", "void", str(uuid4()), *WHY, ORDERS_ENVIRONMENT="production")
    assert production.exit_code == 2


def test_a_database_without_tables_is_exit_code_2_and_says_what_to_do(
    world: World, tmp_path_factory: pytest.TempPathFactory
) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('empty')}/orders.db"
    result = orders(world, "notifications", "list", ORDERS_DATABASE_URL=url)
    assert (result.exit_code, "orders migrate" in result.stderr) == (2, True)

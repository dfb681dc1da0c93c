"""`orders audit reconcile` and `orders audit breaks`, as finance uses them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from api.cli import app
from tests.api.commands.running import as_json, orders
from tests.api.webhooks.world import World
from tests.end_to_end.world import NOWHERE

WHY = ("--reason", "the bank was asked")


def days() -> tuple[str, ...]:
    """A range around today."""
    today = datetime.now(UTC)
    first, last = (f"{today + timedelta(days=by):%Y-%m-%d}" for by in (-1, 1))
    return ("--from", first, "--to", last)


def settled(world: World) -> None:
    world.control(f"{world.vendors.gateway.url}/_ledger/settle", {})


def test_a_day_is_reconciled_broken_owned_and_resolved(world: World) -> None:
    fine, wrong = world.order(), world.order()
    plant = f"{world.vendors.gateway.url}/_ledger/plant"
    world.control(
        plant, {"fault": "amount-differs", "transId": wrong["payment"]["transaction_id"], "amount_cents": 100}
    )
    settled(world)

    first = orders(world, "audit", "reconcile", *days(), "--json", "--actor", "fay")
    content = as_json(first)
    assert (first.exit_code, content["imported"]["batches"], content["open_breaks"]) == (1, 1, 1)
    assert (content["matched"], content["counts"]["amount-differs"]) == (1, 1)
    (found,) = content["breaks"]
    assert (found["order_id"], found["ours_cents"], found["theirs_cents"]) == (wrong["id"], 18_500, 100)

    shown = orders(world, "audit", "reconcile", *days())
    assert (shown.exit_code, found["cause"] in shown.stdout, found["next_command"] in shown.stdout) == (1, True, True)
    assert "imported 0 batches with 0 transactions; 1 were known" in shown.stdout

    listed = orders(world, "audit", "breaks", "list", "--json")
    assert (listed.exit_code, [each["id"] for each in as_json(listed)["breaks"]]) == (1, [found["id"]])
    program, *typed = found["next_command"].replace("'ask the gateway'", "asked").split()
    assert program == "orders"
    owned = orders(world, *typed, "--owner", "olga", "--json")
    assert (owned.exit_code, as_json(owned)["break"]["owner"]) == (0, "olga")
    assert orders(world, "audit", "reconcile", *days()).exit_code == 0
    resolved = orders(world, "audit", "breaks", "resolve", found["id"], *WHY)
    assert (resolved.exit_code, "resolved: the bank was asked" in resolved.stdout) == (0, True)
    everything = orders(world, "audit", "breaks", "list")
    assert (everything.exit_code, everything.stdout) == (0, "no breaks\n")
    old = as_json(orders(world, "audit", "breaks", "list", "--state", "resolved", "--json"))
    assert [each["resolution"] for each in old["breaks"]] == ["the bank was asked"]
    assert fine["id"] not in shown.stdout
    assert content["clearing"]["unexplained"] == []
    assert content["clearing"]["in_breaks"] == {"items": 1, "amount_cents": 18_400}


def test_a_gateway_that_cannot_be_read_is_exit_code_2_and_the_next_run_goes_on(world: World) -> None:
    world.order()
    settled(world)
    failed = orders(world, "audit", "reconcile", *days(), ORDERS_AUTHORIZENET_URL=NOWHERE)
    assert (failed.exit_code, failed.stdout) == (2, "")
    assert "try again" in failed.stderr
    assert as_json(orders(world, "audit", "reconcile", *days(), "--json"))["imported"]["batches"] == 1


def test_wrong_keys_are_told_as_such(world: World) -> None:
    refused = orders(world, "audit", "reconcile", *days(), ORDERS_AUTHORIZENET_TRANSACTION_KEY="wrong-key-000001")
    assert (refused.exit_code, "keys-refused" in refused.stderr) == (2, True)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--from", "2026-11-01", "--to", "2026-11-01"),
        ("--from", "2026-11-02", "--to", "2026-11-01"),
        ("--from", "1999-01-01", "--to", "2026-11-01"),
        ("--from", "yesterday", "--to", "2026-11-01"),
        ("--from", "2026-11-01", "--to", "2026-11-02", "--grace-days", "0"),
    ],
)
def test_a_range_that_makes_no_sense_is_exit_code_2(arguments: tuple[str, ...]) -> None:
    assert CliRunner().invoke(app, ["audit", "reconcile", *arguments]).exit_code == 2


def test_a_break_that_is_not_there_is_exit_code_2(world: World) -> None:
    result = orders(world, "audit", "breaks", "resolve", str(uuid4()), *WHY)
    assert (result.exit_code, "no such break" in result.stderr) == (2, True)
    assert orders(world, "audit", "breaks", "own", str(uuid4()), *WHY, "--owner", "").exit_code == 2

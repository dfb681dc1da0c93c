"""`orders projections` and `orders dead-letters`: exit codes, and results apart from progress."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from typer.testing import CliRunner

from api.cli import app
from api.read_models import MODELS, ORDERS
from domain.order import Order
from domain.stream import Stream
from projections.model import Changes
from projections.orders import Orders, orders
from tests.projections.histories import Wish, history
from tests.projections.world import World


@pytest.fixture
def filled(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("ORDERS_DATABASE_URL", world.settings.database_url)
    world.append(history([Wish("sent"), Wish("declined"), Wish("sent")]))
    world.follow()
    return world


def ran(*arguments: str, code: int = 0) -> Any:
    """When the command runs with --json and ends so: its result."""
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == code, result.output
    return json.loads(result.stdout) if result.stdout else result.stderr


def declined_is(monkeypatch: pytest.MonkeyPatch, state: str | None) -> None:
    """Given other code: declined orders get another state, or cannot be folded."""
    fold = Orders.fold

    def other(self: Orders, event: Stream.Event, position: int, changes: Changes) -> None:
        fold(self, event, position, changes)
        if isinstance(event, Order.PaymentDeclined):
            if state is None:
                raise KeyError("nonsense")
            changes.records[orders].change(event.originator_id, state=state)

    monkeypatch.setattr(Orders, "fold", other)


def names(rows: Sequence[dict[str, Any]], key: str) -> set[str]:
    return {row["projection"] for row in rows if row[key]}


def test_rebuild_verify_and_rollback_say_what_they_did(filled: World) -> None:
    rebuilt = ran("projections", "rebuild", "--all")["projections"]
    assert len(names(rebuilt, "switched")) == len(rebuilt) == len(MODELS)
    assert len(names(ran("projections", "verify")["projections"], "equal")) == len(MODELS)
    assert ran("projections", "rollback", "orders")["generation"] == 1
    assert filled.served(ORDERS).number == 1


def test_progress_goes_to_stderr_as_lines_of_json(filled: World) -> None:
    result = CliRunner().invoke(app, ["projections", "rebuild", "orders", "--json"])
    last = json.loads(result.stderr.splitlines()[-1])
    assert (last["percent"], last["position"], last["eta_s"]) == (100.0, len(filled.log), 0.0)


def test_a_difference_ends_with_2_and_is_served_only_when_it_is_accepted(
    filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    declined_is(monkeypatch, "voided")
    (found,) = ran("projections", "rebuild", "orders", code=2)["projections"]
    assert [d["served"]["state"] for d in found["differences"]] == ["declined"]
    assert "declined" in {row["state"] for row in filled.rows(orders)}
    assert [p["projection"] for p in ran("projections", "verify", code=1)["projections"] if not p["equal"]] == [
        "orders"
    ]

    ran("projections", "rebuild", "orders", "--accept", found["digest"], code=2)  # a reason is missing
    ran("projections", "rebuild", "orders", "--accept", found["digest"], "--reason", "as it should be")
    assert "declined" not in {row["state"] for row in filled.rows(orders)}


def test_an_event_that_cannot_be_folded_ends_a_rebuild_with_2_and_its_name(
    filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    declined_is(monkeypatch, None)
    result = CliRunner().invoke(app, ["projections", "rebuild", "--all"])
    assert result.exit_code == 2
    assert "order.payment-declined.v1" in result.stderr


def test_status_is_1_while_something_needs_attention(filled: World) -> None:
    assert ran("projections", "status", code=1)["leader"]["stale"]
    assert filled.parts.projector._leads()
    status = ran("projections", "status")
    assert status["fine"]
    assert {row["lag_events"] for row in status["projections"]} == {0}


def test_dead_letters_are_listed_skipped_and_gone(filled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    declined_is(monkeypatch, None)
    filled.append(history([Wish("declined")], first=900))
    filled.follow()
    stream = str(UUID(int=(1 << 80) + 900))

    (letter,) = ran("dead-letters", "list", code=1)["dead_letters"]
    assert (letter["projection"], letter["stream_id"], letter["topic"]) == (
        "orders",
        stream,
        "order.payment-declined.v1",
    )
    assert ran("dead-letters", "retry", code=1)["streams"][0]["left"] == 1
    assert ran("dead-letters", "skip", stream, "--reason", "broken for good")["streams"][0]["left"] == 0
    assert ran("dead-letters", "list")["dead_letters"] == []


def test_a_name_that_there_is_not_is_refused(filled: World) -> None:
    assert CliRunner().invoke(app, ["projections", "rebuild", "nonsense"]).exit_code == 2
    assert CliRunner().invoke(app, ["projections", "rebuild"]).exit_code == 2
    assert CliRunner().invoke(app, ["projections", "rollback", "orders"]).exit_code == 2

"""`orders ledger`: what it prints, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.cli import app
from tests.projections.histories import START, Wish, history
from tests.projections.ledger.histories import batch_events, settleable
from tests.projections.world import World

RUNNER = CliRunner()


@pytest.fixture(scope="module")
def log(shared_world: World) -> World:
    """Given two orders of which one is settled; nobody has followed the log yet."""
    orders = history([Wish("sent"), Wish("sent", promotion=0, days=3)])
    shared_world.append([*orders, *batch_events(1, START, list(settleable(orders))[:1])])
    return shared_world


@pytest.fixture
def told(log: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("ORDERS_DATABASE_URL", log.settings.database_url)
    return log


def ran(*arguments: str, code: int = 0) -> Any:
    result = RUNNER.invoke(app, ["ledger", *arguments, "--json"])
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def refused(*arguments: str) -> str:
    result = RUNNER.invoke(app, ["ledger", *arguments])
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    return result.stderr


def test_the_trial_balance_is_zero_now_and_at_any_instant(told: World) -> None:
    now = ran("trial-balance")
    assert now["totals"]["balance_cents"] == 0
    assert now["position"] == len(told.log)
    assert {a["account"]: a["balance_cents"] for a in now["accounts"]}["assets:gateway-clearing"] == 16_650
    earlier = ran("trial-balance", "--at", "2026-11-03")
    assert {a["account"]: a["balance_cents"] for a in earlier["accounts"]}["revenue:services:photos"] == -18_500
    assert ran("trial-balance", "--at", "0")["accounts"] == []
    assert ran("trial-balance", "--at", "2026-11-02T00:00:00Z", "--effective")["accounts"]
    shown = RUNNER.invoke(app, ["ledger", "trial-balance"]).stdout.splitlines()
    assert shown[0].split() == ["account", "debit", "credit", "balance"]
    assert shown[-1].split()[0] == "total"
    assert shown[-1].split()[-1] == "0.00"


def test_entries_of_an_account_or_an_order_are_shown_with_their_events(told: World) -> None:
    (first, second) = ran("entries", "--account", "revenue:services:photos")["postings"]
    assert first["position"] > second["position"]
    assert (second["credit_cents"], second["topic"]) == (18_500, "order.submitted.v1")
    of_order = ran("entries", "--order", second["stream_id"])["postings"]
    assert {row["rule"] for row in of_order} == {"payment-charged", "order-submitted", "charge-settled"}
    page = ran("entries", "--limit", "2")
    rest = ran("entries", "--cursor", page["next_cursor"])
    assert page["postings"] + rest["postings"] == ran("entries")["postings"]
    assert "assets:bank-in-transit" in RUNNER.invoke(app, ["ledger", "entries"]).stdout


def test_open_items_are_the_clearing_balance(told: World) -> None:
    found = ran("open-items")
    assert [(row["item"], row["amount_cents"]) for row in found["items"]] == [("6000000002", 16_650)]
    assert found["balance_cents"] == 16_650
    assert ran("open-items", "--at", "1")["items"] == []
    assert "6000000002" in RUNNER.invoke(app, ["ledger", "open-items"]).stdout


def test_an_export_has_a_manifest_and_shows_its_progress_apart(told: World, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    manifest = ran("export", "--format", "csv", "--format", "jsonl", "--from", "2026-11-03", "--out", str(out))
    assert [file["format"] for file in manifest["files"]] == ["csv", "jsonl"]
    assert manifest["entries"] == 2
    assert json.loads((out / "manifest.json").read_text()) == manifest
    result = RUNNER.invoke(app, ["ledger", "export", "--all-formats", "--out", str(out)])
    assert result.exit_code == 0
    assert "100.00 %" in result.stderr
    assert len(result.stdout.splitlines()) == 1 + 6 + 1


def test_what_cannot_be_done_is_said(told: World, tmp_path: Path) -> None:
    assert "--format" in refused("export", "--out", str(tmp_path))
    assert "--format" in refused("export", "--format", "pdf", "--out", str(tmp_path))
    assert "--period" in refused("export", "--format", "csv", "--period", "2026-13", "--out", str(tmp_path))
    assert "--from" in refused("export", "--format", "csv", "--from", "2026-11-31", "--out", str(tmp_path))
    (tmp_path / "file").write_text("")
    assert "--out" in refused("export", "--format", "csv", "--out", str(tmp_path / "file" / "folder"))
    assert "offset" in refused("trial-balance", "--at", "2026-11-03T00:00:00")
    assert "--at" in refused("trial-balance", "--at", "yesterday")
    assert "no such order" in refused("entries", "--order", "nonsense")
    assert "--cursor" in refused("entries", "--cursor", "x")

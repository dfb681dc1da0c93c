"""A running server seals what it writes; the commands verify, export and show it, beside the server."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from tests.end_to_end.world import FAY, World, eventually


@pytest.fixture(autouse=True)
def _same_settings(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERS_DATABASE_URL", world.settings.database_url)
    monkeypatch.setenv("ORDERS_SEALS_PATH", str(world.settings.seals_folder))


@pytest.fixture(scope="module")
def order(world: World) -> dict[str, Any]:
    """An order with a promotion, sealed."""
    order = dict(world.pay(world.body(promotion_code=world.promotion("TEN"))).order)
    eventually(lambda: metric(world, "orders_seal_lag_positions") == 0, 5.0)
    return order


def metric(world: World, name: str) -> float:
    found = re.search(rf"^{name} (\S+)$", world.send("GET", "/metrics").text, re.M)
    assert found, f"there is no {name}"
    return float(found[1])


def ran(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["audit", *arguments])


def test_a_running_server_seals_what_it_writes_within_moments(world: World, order: dict[str, Any]) -> None:
    before = metric(world, "orders_seal_position")
    world.pay(world.body())
    eventually(lambda: metric(world, "orders_seal_position") > before, 5.0)
    assert (metric(world, "orders_sealing_stopped"), metric(world, "orders_sealer_stale")) == (0, 0)


def test_the_log_of_a_running_server_is_verified(world: World, order: dict[str, Any], tmp_path: Path) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text(ran("seals", "--note").stdout)
    key = tmp_path / "key.txt"
    key.write_text(json.loads(ran("seals", "--json").stdout)["public_key"])
    result = ran("verify", "--checkpoint", str(kept), "--public-key", str(key), "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["fine"], found["findings"]) == (True, [])
    assert found["sealed_events"] > 5
    assert ran("verify").stdout.endswith("fine: the log is what was sealed\n")


def test_who_seals_and_how_far_is_shown(world: World, order: dict[str, Any]) -> None:
    found = json.loads(ran("seals", "--last", "2", "--json").stdout)
    assert (found["stale"], found["problem"], len(found["checkpoints"])) == (False, None, 2)
    assert found["public_key"].startswith("pay-and-submit/log/")
    assert Path(found["file"]).exists()


@pytest.mark.parametrize("by", ["id", "number"])
def test_an_order_is_exported_with_what_was_recorded_for_it(
    world: World, order: dict[str, Any], tmp_path: Path, by: str
) -> None:
    out = tmp_path / "order.zip"
    result = ran("export", order[by], "--out", str(out), "--json")
    assert result.exit_code == 0, result.output
    with zipfile.ZipFile(out) as archive:
        archive.extract("verify_bundle.py", tmp_path)
        topics = [json.loads(line)["topic"] for line in archive.open("events.jsonl")]
    assert {topic.split(".")[0] for topic in topics} == {"order", "duplicate-window", "promotion-redemption"}
    script = [sys.executable, "-I", str(tmp_path / "verify_bundle.py"), str(out)]
    assert subprocess.run(script, capture_output=True).returncode == 0
    assert b"Main Street" not in b"".join(zipfile.ZipFile(out).read(name) for name in ("events.jsonl", "manifest.json"))


def test_a_month_is_exported(world: World, order: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "month.zip"
    eventually(lambda: metric(world, "orders_seal_lag_positions") == 0, 5.0)
    month = order["requested_at"][:7]
    result = ran("export", month, "--out", str(out), "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["events"] == json.loads(ran("verify", "--json").stdout)["events"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("export", "2026-13", "--out", "x.zip"), "no such day or month"),
        (("export", "2026-02-02..2026-02-01", "--out", "x.zip"), "comes after"),
        (("export", "2001-01", "--out", "x.zip"), "no such events"),
        (("export", "nonsense", "--out", "x.zip"), "no such order"),
        (("verify", "--checkpoint", __file__), "--checkpoint: it is"),
        (("verify", "--public-key", __file__), "no public key"),
    ],
)
def test_what_cannot_be_done_ends_with_2_and_the_reason(
    world: World, order: dict[str, Any], arguments: tuple[str, ...], says: str
) -> None:
    result = ran(*arguments)
    assert result.exit_code == 2
    assert says in result.stderr


def test_a_changed_log_is_named_a_notification_says_so_and_orders_go_on(world: World, order: dict[str, Any]) -> None:
    eventually(lambda: metric(world, "orders_seal_lag_positions") == 0, 5.0)
    last = world.database.position()
    change = "UPDATE stored_events SET topic = {topic} WHERE notification_id = " + str(last)
    world.database._execute(change.format(topic="topic || '.x'"))

    eventually(lambda: metric(world, "orders_sealing_stopped") == 1, 5.0)
    result = ran("verify", "--json")
    assert result.exit_code == 1
    assert [(found["kind"], found["position"]) for found in json.loads(result.stdout)["findings"]] == [("edited", last)]
    assert ran("seals").exit_code == 1
    assert world.pay(world.body()).status == "action-successful"

    def notified() -> bool:
        return "sealing-stopped" in {
            row["kind"] for row in world.get("/api/v1/notifications", FAY).data["notifications"]
        }

    eventually(notified)
    world.database._execute(change.format(topic="substr(topic, 1, length(topic) - 2)"))
    assert ran("verify").exit_code == 0

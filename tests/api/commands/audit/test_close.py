"""`orders audit close` and `reproduce`, as finance uses them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.api.commands.running import as_json, orders
from tests.api.webhooks.world import World
from tests.end_to_end.world import eventually


def month(before: int) -> str:
    """So many months ago."""
    first = datetime.now(UTC).replace(day=1)
    for _ in range(before):
        first = (first - timedelta(days=1)).replace(day=1)
    return f"{first:%Y-%m}"


def test_a_month_is_closed_and_reproduced_and_this_one_is_not_over(world: World, tmp_path: Path) -> None:
    then = month(before=2)  # no event is that old, and nothing has been booked yet: any month may be the first
    unreconciled = orders(world, "audit", "close", then)
    assert (unreconciled.exit_code, "next: orders audit reconcile --from" in unreconciled.stdout) == (1, True)
    orders(world, "audit", "reconcile", "--from", f"{then}-01", "--to", f"{month(before=0)}-01")
    eventually(lambda: orders(world, "audit", "close", then).exit_code == 0)  # once the service has sealed something
    closed = as_json(orders(world, "audit", "close", then, "--json"))
    assert (closed["unmet"], closed["closed"]["entries"], len(closed["closed"]["root_hash"])) == ([], 0, 64)

    again = orders(world, "audit", "reproduce", then, "--out", str(tmp_path / "again"), "--json")
    assert (again.exit_code, as_json(again)["differences"]) == (0, [])
    assert as_json(again)["made"] == closed["closed"]["exports"]
    assert {file.name for file in (tmp_path / "again").iterdir()} == {
        "journal.csv", "journal.jsonl", "journal.beancount", "journal.journal", "manifest.json",
    }  # fmt: skip
    said = orders(world, "audit", "reproduce", then, "--out", str(tmp_path / "again"))
    assert (said.exit_code, "the same bytes" in said.stdout) == (0, True)

    kept = orders(world, "audit", "close", month(before=1), "--out", str(tmp_path / "kept"))
    assert (kept.exit_code, f"{month(before=1)} is closed" in kept.stdout) == (0, True)
    assert (tmp_path / "kept" / "manifest.json").exists()
    now = orders(world, "audit", "close", month(before=0))
    assert (now.exit_code, f"next: orders audit close {month(before=0)}" in now.stdout) == (1, True)


@pytest.mark.parametrize("command", [("close", "2026-13"), ("reproduce", "2001-01", "--out", "nowhere")])
def test_what_cannot_be_tried_is_exit_code_2(world: World, command: tuple[str, ...]) -> None:
    result = orders(world, "audit", *command)
    assert (result.exit_code, result.stdout) == (2, "")
    assert not Path("nowhere").exists()

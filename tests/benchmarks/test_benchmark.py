"""The benchmark itself: its stand-ins and floor do what they say, and the whole of it runs."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from tests.benchmarks import proxied
from tests.benchmarks.__main__ import main
from tests.benchmarks.load import Job, client
from tests.benchmarks.places import SQLITE, place, vendors
from tests.benchmarks.stage_timer import StageTimer
from tests.benchmarks.targets import targets_for
from tests.benchmarks.vendor_control import Control
from tests.helpers import run

ORDERS = 40


def test_an_order_of_the_floor_is_answered_with_200_and_charged_once(tmp_path: Path) -> None:
    with place(SQLITE, tmp_path) as where, vendors(where.folder) as stubs, client() as sender:
        floor = targets_for(SQLITE, 1)[0]
        with floor.start(where, stubs.url, 1) as server:
            result = sender.run(Job(server.url, 4, 0, 5.0, ORDERS))
        counts = Control(stubs.url).counts()
    assert result.answers == {"ok": ORDERS}
    assert (counts.charges, counts.most_per_invoice) == (ORDERS, 1)


def test_a_stage_is_charged_for_its_own_steps_and_not_for_those_of_others_while_it_waits() -> None:
    timer = StageTimer()

    async def outer() -> None:
        await timer.coroutine("inner")(inner)()

    async def inner() -> None:
        await asyncio.sleep(0.02)
        _work(0.03)

    async def story() -> None:
        await asyncio.gather(timer.coroutine("outer")(outer)(), timer.coroutine("other")(other)())

    async def other() -> None:
        _work(0.02)

    run(story())
    stages = {name: stage.cpu_ns / 1e9 for name, stage in timer.report().stages.items()}
    assert stages["inner"] == pytest.approx(0.03, abs=0.008)
    assert stages["other"] == pytest.approx(0.02, abs=0.008)
    assert stages["outer"] < 0.005


def test_a_stage_passes_results_and_errors_on() -> None:
    timer = StageTimer()

    async def fails() -> None:
        await asyncio.sleep(0)
        raise KeyError("as it was")

    async def answers() -> int:
        return 7

    async def story() -> None:
        with pytest.raises(KeyError, match="as it was"):
            await timer.coroutine("fails")(fails)()
        assert await timer.coroutine("answers")(answers)() == 7

    run(story())


def test_the_recorder_behind_a_proxy_is_compared_with_the_hand_written_client() -> None:
    compared = proxied.run(0.5, [2], rounds=1, seconds=0.1)
    assert [one.what for one in compared] == ["read", "insert", "order"]
    assert all(one.recorder_per_s > 0 < one.hand_written_per_s for one in compared)


@pytest.mark.benchmark
def test_the_quick_comparison_charges_every_order_of_every_target_once(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    main(["--quick", "--seconds", "0.5", "--database", "sqlite", "--json", str(file)])
    cells = json.loads(file.read_text())["cells"]
    assert {cell["target"] for cell in cells} >= {"floor", "obvious build", "product"}
    assert all(cell["charges_per_order"] == 1 and not cell["not_ok"] for cell in cells)


def _work(seconds: float) -> None:
    """Use this thread's processor for so long."""
    ends_s = time.thread_time() + seconds
    while time.thread_time() < ends_s:
        pass

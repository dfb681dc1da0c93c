"""Waiting for a vendor costs a process memory and nothing else."""

from __future__ import annotations

import time
from pathlib import Path

from tests.concurrency.directory import body
from tests.concurrency.world import run, selling, statuses

CLIENTS, ORDERS_EACH = 128, 2
DELAY_MS = 150
CALLS_PER_ORDER = 2  # the charge, then the mail


def test_256_orders_wait_for_slow_vendors_at_the_same_time_in_one_process(database_url: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with selling(database_url, tmp_path, users=CLIENTS) as world:
            await world.delay(DELAY_MS)
            began = time.perf_counter()

            answers = await world.pay(
                *(body(user, house) for user in range(1, CLIENTS + 1) for house in range(ORDERS_EACH))
            )

            took_s = time.perf_counter() - began
            waited_s = CLIENTS * ORDERS_EACH * CALLS_PER_ORDER * DELAY_MS / 1000
            assert statuses(answers) == {"action-successful": CLIENTS * ORDERS_EACH}
            assert took_s < waited_s / 10

    run(story())

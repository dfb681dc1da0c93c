"""Real `orders work` processes: when the one that leads is killed, another leads, and nothing is applied twice."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from api.settings import Settings
from tests.chaos.launcher import Launch
from tests.chaos.processes import Process, Starter
from tests.end_to_end.world import eventually
from tests.projections.histories import Wish, history
from tests.projections.world import World, opened_world

MOVES_WITHIN_S = 10.0
NOWHERE = "http://127.0.0.1:9"  # the discard port (RFC 863): no work here calls a vendor


@contextmanager
def two_workers(settings: Settings, folder: Path) -> Iterator[dict[int, Process]]:
    """By their process ids."""
    environ = {
        "ORDERS_DATABASE_URL": settings.database_url,
        "ORDERS_AUTHORIZENET_URL": f"{NOWHERE}/xml/v1/request.api",
        "ORDERS_MANDRILL_URL": f"{NOWHERE}/api/1.3",
        "PATH": os.environ["PATH"],
    }
    starter = Starter(Launch((), environ, {}), folder)
    workers = [starter.start("work") for _ in range(2)]
    try:
        for worker in workers:
            worker.wait_until_ready()
        yield {worker.pid: worker for worker in workers}
    finally:
        for worker in workers:
            worker.kill()


def leader(world: World) -> int | None:
    """The process that follows the log now."""
    found = world.parts.status().leader
    return None if found.stale or found.owner is None else int(found.owner.split("-")[-2])


def has_seen_everything(world: World) -> bool:
    status = world.parts.status()
    return status.head == len(world.log) and all(standing.lag_events == 0 for standing in status.projections)


def test_another_process_leads_within_ten_seconds_of_a_kill_and_nothing_is_applied_twice(
    postgresql_url: str, tmp_path: Path
) -> None:
    wishes = [Wish(promotion=0, days=day % 3) for day in range(30)]
    with opened_world(postgresql_url) as world, two_workers(world.settings, tmp_path) as workers:
        eventually(lambda: leader(world) in workers)
        first = leader(world)
        world.append(history(wishes))
        assert first is not None
        workers[first].kill()  # wherever it is
        world.append(history(wishes, first=100))

        eventually(lambda: leader(world) in workers.keys() - {first}, MOVES_WITHIN_S)
        eventually(lambda: has_seen_everything(world), MOVES_WITHIN_S)

        assert world.same_as_a_fresh_fold()

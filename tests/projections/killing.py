"""Kills processes that follow or rebuild, again and again, wherever they happen to be."""

from __future__ import annotations

import multiprocessing
import random
import sys
import time
from multiprocessing.process import BaseProcess
from uuid import uuid4

from api.read_models import MODELS
from api.settings import Settings
from projections import building, following
from tests.projections.histories import ENDINGS, Wish, history, promotion_events
from tests.projections.world import World

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.projections.killing"])

EVENTS_PER_KILL = 60
START_LIMIT_S = 30.0


def follow(url: str, begun: object) -> None:
    """Follows the log in tiny batches until it is killed."""
    following.FRONT = 3
    world = World(Settings(database_url=url), "victim")
    begun.set()  # type: ignore[attr-defined]
    while True:
        world.follow()
        time.sleep(0.001)


def rebuild(url: str, begun: object) -> None:
    """Rebuilds everything in tiny batches until it is killed or done."""
    building.BULK = 20
    world = World(Settings(database_url=url), f"victim-{uuid4().hex[:6]}")
    begun.set()  # type: ignore[attr-defined]
    world.parts.rebuilder.rebuild(MODELS)
    world.close()


def kill(world: World, kills: int, *, seed: int) -> int:
    """Kill so many processes while the log is followed, with a rebuild now and then; how many died at their work."""
    chance = random.Random(seed)
    orders = kills * EVENTS_PER_KILL // 6
    wishes = [Wish(chance.choice(ENDINGS), chance.choice([None, 0, 1]), days=n % 5) for n in range(orders)]
    world.append(promotion_events() + history(wishes))
    died = 0
    for number in range(kills):
        begun = _context.Event()
        work = rebuild if number % 4 == 3 else follow
        victim: BaseProcess = _context.Process(target=work, args=(world.settings.database_url, begun), daemon=True)
        victim.start()
        assert begun.wait(START_LIMIT_S)
        time.sleep(chance.uniform(0.0, 0.08))
        died += victim.is_alive()
        victim.kill()
        victim.join()
        victim.close()
    return died


def holds(world: World, kills: int, *, seed: int) -> bool:
    """Whether the views equal a fresh fold after all that, and a killed rebuild goes on."""
    died = kill(world, kills, seed=seed)
    world.follow()
    outcomes = world.parts.rebuilder.rebuild(MODELS)
    sys.stdout.write(f"{died} of {kills} died at work; the log has {len(world.log)} events\n")
    return died > kills / 2 and all(outcome.comparison.equal for outcome in outcomes) and world.same_as_a_fresh_fold()

"""A process that is killed while it follows or rebuilds leaves nothing half done."""

from __future__ import annotations

from tests.projections.killing import holds
from tests.projections.world import World


def test_views_equal_a_fresh_fold_however_often_their_process_is_killed(world: World) -> None:
    assert holds(world, kills=10, seed=7)  # at length: python -m tests.projections.kill_often

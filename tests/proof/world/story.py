"""A run as a story, one line per step."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.proof.world.world import World


def told(world: World) -> Iterator[str]:
    """Time since the start, who, what."""
    for at_s, *what in world.story:
        assert isinstance(at_s, float)
        yield f"{timedelta(seconds=round(at_s, 3))!s:>16}  " + "  ".join(str(part) for part in what if str(part))

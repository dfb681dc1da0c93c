"""An empty product for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.projections.world import World, opened_world


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """A migrated product with an empty log, once on each database."""
    with opened_world(database_url) as world:
        yield world

"""A sealed log for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.application.audit.seals.world import World, opened_world


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    """A migrated log without events, once on each database."""
    with opened_world(database_url, tmp_path) as world:
        yield world

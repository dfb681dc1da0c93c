"""One world per module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.webhooks.world import World, opened_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Recovery polls once an hour: what comes sooner comes from a webhook."""
    with opened_world(tmp_path_factory.mktemp("world"), recovery_interval_s=600) as world:
        yield world

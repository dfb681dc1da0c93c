"""The running product, on each kind of database, and the command beside it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.webhooks.world import World, opened_world
from tests.databases import fresh_database


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    if request.param == "sqlite":
        with opened_world(folder, recovery_interval_s=0.5) as world:
            yield world
        return
    with (
        fresh_database(request.getfixturevalue("postgresql_server_url")) as url,
        opened_world(folder, recovery_interval_s=0.5, database_url=url) as world,
    ):
        yield world

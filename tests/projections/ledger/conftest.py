"""One world for all tests of a module that only read, on each kind of database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.databases import fresh_database
from tests.projections.world import World, opened_world


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A migrated product with an empty log."""
    if request.param == "sqlite":
        with opened_world(f"sqlite:///{tmp_path_factory.mktemp('ledger')}/orders.db") as world:
            yield world
        return
    with fresh_database(request.getfixturevalue("postgresql_server_url")) as url, opened_world(url) as world:
        yield world

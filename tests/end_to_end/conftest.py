"""One world per module and kind of database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.databases import fresh_database
from tests.end_to_end.world import World, opened_world


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database of each kind for all tests of a module, where elsewhere every test has its own."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('store')}/orders.db"
        return
    with fresh_database(request.getfixturevalue("postgresql_server_url")) as url:
        yield url


@pytest.fixture(scope="module")
def world(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with opened_world(database_url, tmp_path_factory.mktemp("world")) as world:
        yield world

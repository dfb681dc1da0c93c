"""A running product on each kind of database for `orders doctor` to look at, and one in which nobody is at work."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from api.directory_import import import_file
from tests.api.commands.conftest import world as world
from tests.api.webhooks.world import World
from tests.databases import fresh_database
from tests.end_to_end.world import a_directory
from tests.helpers import run


@pytest.fixture(scope="module")
def quiet(world: World, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A store of the same kind, with a directory, that no server and no worker uses."""
    folder = tmp_path_factory.mktemp("quiet")
    with ExitStack() as stack:
        url = f"sqlite:///{folder}/orders.db"
        if not world.settings.database_url.startswith("sqlite"):
            url = stack.enter_context(fresh_database(request.getfixturevalue("postgresql_server_url")))
        ours = world.settings.model_copy(
            update={"database_url": url, "key_store_url": url.replace("orders.db", "orders-keys.db")}
        )
        file = folder / "directory.json"
        file.write_text(json.dumps(a_directory()))
        run(import_file(ours, file))
        yield replace(world, settings=ours)

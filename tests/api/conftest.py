"""One running server per worker process; every test finds its world as new."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.serving import serving
from tests.api.world import Api, World, app_of


@pytest.fixture(scope="session")
def server() -> Iterator[Api]:
    world = World()
    with serving(app_of(world)) as port:
        yield Api(port, world)


@pytest.fixture
def api(server: Api) -> Api:
    server.world.reset()
    return server

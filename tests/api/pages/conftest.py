"""One world per module, on SQLite; `signed_in("ed")` is a visitor who is Ed. Tests that need both databases say so."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.api.pages.browsing import Visitor
from tests.end_to_end.world import World, opened_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("console")
    with opened_world(f"sqlite:///{folder}/orders.db", folder) as world:
        yield world


@pytest.fixture
def visitor(world: World) -> Visitor:
    """Somebody who has not signed in."""
    return Visitor(world)


@pytest.fixture
def signed_in(world: World) -> Callable[[str], Visitor]:
    """A visitor who is one of the example people: ed (employee), lee (liaison), fay (finance), rae (reporting),
    otto (operations)."""

    def sign_in(person: str) -> Visitor:
        visitor = Visitor(world)
        assert visitor.sign_in(f"session-{person}-example-token").code == 303
        return visitor

    return sign_in

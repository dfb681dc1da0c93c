"""All three recorders, for facts that hold for each of them."""

from __future__ import annotations

import pytest

MEMORY = "memory:"


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> str:
    """A fresh, empty database by its URL, or MEMORY; open it with `opened`."""
    if request.param == "memory":
        return MEMORY
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url

"""Fixtures for all tests: a fresh, empty database by its URL, on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.databases import empty, existing_server, fresh_database, run_folder, shared_server
from tests.proof.summary import pytest_terminal_summary as pytest_terminal_summary  # a hook; only here xdist sees it


@pytest.fixture(scope="session", autouse=True)
def _seals_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Checkpoints of servers under test lie in a temporary folder, not in the project's."""
    os.environ["ORDERS_SEALS_PATH"] = str(tmp_path_factory.mktemp("seals"))


@pytest.fixture(scope="session")
def postgresql_server_url() -> Iterator[str]:
    """A PostgreSQL server, shared by all worker processes of this run; started by the first test that asks for it."""
    if url := existing_server():
        yield url
        return
    run_id = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid4().hex
    with shared_server(run_folder(run_id)) as url:
        yield url


@pytest.fixture(scope="session")
def postgresql_worker_url(postgresql_server_url: str) -> Iterator[str]:
    """The one PostgreSQL database of this worker process."""
    with fresh_database(postgresql_server_url) as url:
        yield url


@pytest.fixture
def postgresql_url(postgresql_worker_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty PostgreSQL database. For a second one in the same test: `fresh_database(postgresql_server_url)`."""
    empty(postgresql_worker_url)
    monkeypatch.setenv("ORDERS_SEALS_PATH", str(tmp_path / "seals"))  # the last test's log in it is not this one's
    return postgresql_worker_url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A fresh SQLite database; the file does not exist yet."""
    return f"sqlite:///{tmp_path}/orders.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh, empty database, once of each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


def pytest_make_parametrize_id(val: object) -> str | None:
    """Sets are shown in another order by every process; the names of tests must be the same in all."""
    return "{" + ", ".join(sorted(map(str, val))) + "}" if isinstance(val, set | frozenset) else None

"""Facts about migrations and database URLs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest

from application.adapters.recorders import open_recorder, sqlite_path
from application.adapters.recorders.migrations import migrate
from application.event_log import StoreUnavailable
from tests.application.adapters.recorders.examples import event, everything, opened
from tests.helpers import run


def test_several_that_migrate_an_empty_database_at_once_all_succeed(database_url: str) -> None:
    async def fact() -> None:
        await asyncio.gather(*(migrate(database_url) for _ in range(8)))
        async with opened(database_url) as recorder:
            await recorder.insert([event(uuid4(), 1)])

    run(fact())


def test_migrating_again_keeps_what_is_there(database_url: str) -> None:
    async def fact() -> None:
        async with opened(database_url) as recorder:
            await recorder.insert([event(uuid4(), 1)])
            await migrate(database_url)
            assert len(await everything(recorder)) == 1

    run(fact())


def test_three_slashes_name_a_relative_file_and_four_an_absolute_one() -> None:
    assert sqlite_path("sqlite:///var/orders.db") == Path("var/orders.db")
    assert sqlite_path("sqlite:////srv/orders.db") == Path("/srv/orders.db")


@pytest.mark.parametrize("url", ["mysql://user:hunter2@db/orders", "sqlite://orders.db", "orders.db"])
def test_another_kind_of_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match="starts with") as refused:
        open_recorder(url)
    assert url not in str(refused.value)


def test_a_database_that_cannot_be_reached_cannot_be_migrated(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for url in (f"sqlite:///{tmp_path}/file/orders.db", f"postgresql://nobody@/orders?host={tmp_path}"):
        with pytest.raises(StoreUnavailable):
            run(migrate(url))

"""On PostgreSQL, nothing may be remembered from the moment that imports cannot be heard of any more."""

from __future__ import annotations

import asyncio
from time import monotonic

import asyncpg
import pytest

from application.adapters.directory import generation
from application.adapters.directory.generation import PostgresGeneration
from tests.helpers import run

END_LISTENERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"


async def until(known: bool, imports: PostgresGeneration) -> int | None:
    deadline = monotonic() + 3
    while (imports.current() is not None) != known:
        assert monotonic() < deadline
        await asyncio.sleep(0.01)
    return imports.current()


def test_the_end_of_its_listener_is_noticed_at_once_and_what_came_before_the_next_one_is_not_known(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation, "RETRY_S", 0.5)

    async def fact() -> None:
        imports = PostgresGeneration(postgresql_url)
        admin = await asyncpg.connect(postgresql_url)
        assert imports.current() is None
        first = await until(True, imports)
        await admin.execute(f"{END_LISTENERS} AND datname = current_database()")
        await until(False, imports)
        again = await until(True, imports)
        assert first is not None
        assert again is not None
        assert again > first
        await imports.close()
        await admin.close()

    run(fact())

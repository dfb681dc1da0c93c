"""A process that stops lets go of its database."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import warnings
from typing import Any
from uuid import UUID

import psycopg
import pytest

from api.bootstrap import Service, migrate
from api.settings import Settings
from application.notifications import EMAIL_FAILED, raised
from domain.stream import Metadata
from projections.orders import Orders
from tests.concurrency.world import run

HELD_S, WITHIN_S = 0.8, 0.4
OPEN = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


def test_a_service_that_is_closed_in_the_middle_of_projecting_leaves_no_connection_open(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    projecting = threading.Event()

    def slow_fold(*_: Any) -> None:
        projecting.set()
        time.sleep(HELD_S)

    async def story() -> None:
        settings = Settings(database_url=postgresql_url)
        await migrate(settings)
        service = Service(settings)
        metadata = Metadata(service.clock.now(), "user:1", "req_1", "req_1")
        await service.events.save(raised(EMAIL_FAILED, UUID(int=1), metadata))
        service.start_work()
        await asyncio.to_thread(projecting.wait, 10)

        await service.close()

        left_open = await asyncio.to_thread(open_connections, postgresql_url)
        await asyncio.sleep(HELD_S)  # whatever is still at it ends inside this test
        assert left_open == 0

    monkeypatch.setattr(Orders, "fold", slow_fold)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the finding itself; the assertion tells it better
        try:
            run(story())
        finally:
            gc.collect()


def open_connections(url: str) -> int:
    """How many are left; a session that has been closed needs a moment to go."""
    deadline = time.monotonic() + WITHIN_S
    with psycopg.connect(url, autocommit=True) as connection:
        while True:
            count: int = connection.execute(OPEN).fetchall()[0][0]
            if count == 0 or time.monotonic() > deadline:
                return count
            time.sleep(0.02)

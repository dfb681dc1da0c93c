"""How often PostgreSQL's listeners are told of new events."""

from __future__ import annotations

import asyncio
from time import monotonic
from uuid import uuid4

import asyncpg

from application.adapters.recorders.listening import CHANNEL
from application.adapters.recorders.postgresql_telling import EVERY_S
from tests.application.adapters.recorders.examples import event, opened
from tests.helpers import run


def test_the_events_of_a_moment_are_told_together_and_the_last_ones_are_told_too(postgresql_url: str) -> None:
    async def fact() -> None:
        told_at: list[float] = []
        async with opened(postgresql_url) as recorder:
            listener = await asyncpg.connect(postgresql_url)
            await listener.add_listener(CHANNEL, lambda *_: told_at.append(monotonic()))
            began_at = monotonic()
            for _ in range(50):
                await recorder.insert([event(uuid4(), 1)])
            ended_at = monotonic()
            while told_at[-1:] < [ended_at] and monotonic() < ended_at + 2:
                await asyncio.sleep(0.01)
            await listener.close()

        assert told_at[0] < ended_at
        assert told_at[-1] >= ended_at
        assert len(told_at) <= (told_at[-1] - began_at) / EVERY_S + 1

    run(fact())


def test_what_was_not_told_yet_is_told_when_the_writer_closes(postgresql_url: str) -> None:
    async def fact() -> None:
        told: list[float] = []
        listener = await asyncpg.connect(postgresql_url)
        await listener.add_listener(CHANNEL, lambda *_: told.append(monotonic()))
        async with opened(postgresql_url) as recorder:
            await recorder.insert([event(uuid4(), 1)])
            await recorder.insert([event(uuid4(), 1)])
        await listener.fetchval("SELECT 1")
        await listener.close()

        assert len(told) == 2

    run(fact())

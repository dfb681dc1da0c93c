"""New events are noticed: by PostgreSQL's word, by this process's own writes, and by looking when neither comes."""

from __future__ import annotations

import asyncio
from time import monotonic

import psycopg
import pytest

from application.adapters.recorders import MemoryRecorder, listening
from application.adapters.recorders.listening import SignallingRecorder, listen
from application.stored_events import CODEC
from projections import projector
from tests.projections.histories import Wish, order_events
from tests.projections.world import World, append, opened_world


async def until(woken: list[float], more_than: int) -> None:
    async with asyncio.timeout(5):
        while len(woken) <= more_than:
            await asyncio.sleep(0.005)


def test_a_listener_hears_of_other_processes_and_comes_back_when_its_connection_is_lost(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "RETRY_S", 0.05)
    woken: list[float] = []

    async def test() -> None:
        hearing = asyncio.create_task(listen(postgresql_url, lambda: woken.append(monotonic())))
        await until(woken, 0)  # it says so once when it begins
        await asyncio.to_thread(append, postgresql_url, order_events(1, Wish()))
        await until(woken, 1)
        with psycopg.connect(postgresql_url, autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
        heard = len(woken)
        await until(woken, heard)
        await asyncio.to_thread(append, postgresql_url, order_events(2, Wish()))
        await until(woken, heard + 1)
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)

    with opened_world(postgresql_url):
        asyncio.run(test())


def test_a_recorder_says_when_it_has_written() -> None:
    async def test() -> list[int]:
        recorder, seen = SignallingRecorder(MemoryRecorder()), list[int]()
        recorder.wake = lambda: seen.append(1)
        await recorder.insert([CODEC.encode(event) for event in order_events(1, Wish("declined"))])
        return seen

    assert asyncio.run(test()) == [1]


def test_what_nobody_told_of_is_noticed_all_the_same(world: World) -> None:
    async def noticed() -> float:
        following = asyncio.create_task(world.parts.projector.run())
        await asyncio.sleep(0.2)
        await asyncio.to_thread(world.append, order_events(1, Wish()))
        began_s = monotonic()
        while world.parts.projector.position < len(world.log):
            await asyncio.sleep(0.01)
            assert monotonic() - began_s < 5
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        return monotonic() - began_s

    assert asyncio.run(noticed()) < projector.POLL_S + 1

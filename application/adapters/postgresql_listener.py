"""Listens to a channel of PostgreSQL for as long as one connection lasts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import asyncpg

from application.adapters.recorders.postgresql_sessions import CONNECT_S


async def listen_until_lost(
    dsn: str,
    channel: str,
    *,
    check_s: float,
    began: Callable[[], None],
    heard: Callable[[], None],
    ended: Callable[[], None] = lambda: None,
) -> None:
    """Call `began` when it listens, `heard` at every notification, and `ended` when the connection ends; return then.

    A connection that died without a word is found by a question every `check_s`. Raises one of DATABASE_ERRORS.
    """
    connection = await asyncpg.connect(dsn, timeout=CONNECT_S, command_timeout=CONNECT_S)
    lost = asyncio.Event()

    def lose(_: object) -> None:
        ended()
        lost.set()

    connection.add_termination_listener(lose)
    try:
        await connection.add_listener(channel, lambda *_: heard())
        began()
        while not lost.is_set():
            try:
                await asyncio.wait_for(lost.wait(), check_s)
            except TimeoutError:
                await connection.execute("SELECT 1")
    finally:
        connection.terminate()

"""Sessions with a PostgreSQL server, all with limits.

A session must stay with its connection: a pooler in between that hands server connections on at the end of a
transaction cannot be used.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg

CONNECT_S = 3.0
ACQUIRE_S = 3.0  # for a free connection of the pool, a new one included
COMMAND_S = 8.0  # on our side, for a server that went silent; longer than its own limits below
CLOSE_S = 5.0

SERVER_SETTINGS = {
    "application_name": "orders-event-store",
    "lock_timeout": "3s",  # writers wait in one queue, also behind VACUUM FULL or CREATE INDEX
    "statement_timeout": "6s",
    "idle_in_transaction_session_timeout": "10s",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "jit": "off",  # compiles for longer than our statements run
}

# asyncpg raises InternalClientError on a connection that the server ended while it was idle.
DATABASE_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)


class PostgresSessions:
    """A bounded pool. It opens connections when they are needed, on the event loop of the first call."""

    def __init__(self, dsn: str, max_connections: int) -> None:
        self._dsn = dsn
        self._max_connections = max_connections
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Any]:
        """An asyncpg connection for a moment. Raises one of DATABASE_ERRORS."""
        async with (await self._opened()).acquire(timeout=ACQUIRE_S) as connection:
            yield connection

    async def take(self) -> Any:
        """An asyncpg connection to keep, until it is dropped. Raises one of DATABASE_ERRORS."""
        return await (await self._opened()).acquire(timeout=ACQUIRE_S)

    async def drop(self, connection: Any) -> None:
        """End a connection that was taken, whatever has become of it."""
        with suppress(*DATABASE_ERRORS):  # once it is lost, the pool has taken it back by itself
            connection.terminate()
        if self._pool is not None:
            with suppress(*DATABASE_ERRORS):
                await self._pool.release(connection, timeout=CLOSE_S)

    async def _opened(self) -> asyncpg.Pool:
        if self._pool is None:
            async with self._opening:
                if self._pool is None:
                    self._pool = await asyncpg.create_pool(
                        self._dsn,
                        min_size=0,
                        max_size=self._max_connections,
                        timeout=CONNECT_S,
                        command_timeout=COMMAND_S,
                        server_settings=SERVER_SETTINGS,
                        reset=_keep_session,
                    )
        return self._pool

    async def close(self) -> None:
        if self._pool is not None:
            try:
                await asyncio.wait_for(self._pool.close(), CLOSE_S)
            except DATABASE_ERRORS:
                self._pool.terminate()


def is_open(connection: Any) -> bool:
    """Whether a connection that was taken can be used; one that was lost belongs to the pool again, and says so."""
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:
        return False


def rolled_back(error: BaseException) -> bool:
    """Whether the server answered with an error that ended the transaction.

    Not so where the session itself ended (classes 08 and 57P of PostgreSQL's error codes): the commit may have
    happened before.
    """
    return isinstance(error, asyncpg.PostgresError) and not str(error.sqlstate).startswith(("08", "57P"))


async def _keep_session(_connection: Any) -> None:
    """Our statements leave nothing behind in a session; resetting it would cost a round trip."""

"""Sessions with a PostgreSQL server, all with limits.

A session must stay with its connection: a pooler in between that hands server connections on at the end of a
transaction cannot be used.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import asyncpg

from application.semaphores import Places

CONNECT_S = 3.0
ACQUIRE_S = 3.0  # for a place of the bounded number
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
    """A bounded number of connections, opened when they are needed. Belongs to the event loop of the first call."""

    def __init__(self, dsn: str, max_connections: int) -> None:
        self._dsn = dsn
        self._places = Places(max_connections)  # one per connection that is taken
        self._next = asyncio.Lock()  # held by the one that waits for a place; the others wait for it
        self._free: list[asyncpg.Connection] = []
        self._closed = False

    def session(self, *, first: bool = False) -> _Loan:
        """`async with`: an asyncpg connection for a moment. Raises one of DATABASE_ERRORS.

        `first`: ahead of those that wait, but for one. What must be stored does not stand behind what can be asked for
        again.
        """
        return _Loan(self, first)

    async def take(self, *, first: bool) -> asyncpg.Connection:
        """A connection, until it is given back or dropped. Raises one of DATABASE_ERRORS."""
        if first or not self._places.all_taken:
            await self._places.take(ACQUIRE_S)
        else:
            async with asyncio.timeout(ACQUIRE_S), self._next:
                await self._places.take(None)  # within the limit around it
        try:
            while self._free:
                if not (connection := self._free.pop()).is_closed():
                    return connection
            return await self._open()
        except BaseException:
            self._places.release()
            raise

    def give_back(self, connection: asyncpg.Connection) -> None:
        """For the next to take."""
        self._free.append(connection)
        self._places.release()
        if self._closed:
            self._end_free()

    def drop(self, connection: asyncpg.Connection) -> None:
        """End a connection that was taken, whatever has become of it."""
        self._places.release()
        connection.terminate()

    async def _open(self) -> asyncpg.Connection:
        if self._closed:
            raise asyncpg.InterfaceError("closed")
        return await asyncpg.connect(
            self._dsn, timeout=CONNECT_S, command_timeout=COMMAND_S, server_settings=SERVER_SETTINGS
        )

    def _end_free(self) -> None:
        while self._free:
            self._free.pop().terminate()

    async def close(self) -> None:
        """End the connections that are free, and each other one when it is given back."""
        self._closed = True
        with suppress(*DATABASE_ERRORS):
            async with asyncio.timeout(CLOSE_S):
                while self._free:
                    await self._free.pop().close()
        self._end_free()


class _Loan:
    """A connection from the sessions' own stack. After whatever may have left it in mid-statement, it is dropped."""

    def __init__(self, sessions: PostgresSessions, first: bool) -> None:
        self._sessions = sessions
        self._first = first
        self._connection: Any = None

    async def __aenter__(self) -> Any:
        self._connection = await self._sessions.take(first=self._first)
        return self._connection

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if error is None or rolled_back(error):
            self._sessions.give_back(self._connection)
        else:
            self._sessions.drop(self._connection)


def rolled_back(error: BaseException) -> bool:
    """Whether the server answered with an error that ended the transaction.

    Not so where the session itself ended (classes 08 and 57P of PostgreSQL's error codes): the commit may have
    happened before.
    """
    return isinstance(error, asyncpg.PostgresError) and not str(error.sqlstate).startswith(("08", "57P"))

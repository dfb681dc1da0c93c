"""Reads rows for requests: fixed SQL on a connection of its own, without a query builder and without another thread.

The same text serves both databases. The values come as the driver gives them: `instant`, `document` and `identifier`
make them alike. What a reader raises when it cannot is its user's to say: an exception that is made of a reason.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy import Engine

from application.adapters.recorders.postgresql_sessions import DATABASE_ERRORS, PostgresSessions

BUSY_S = 0.2  # a reader waits for nobody in WAL mode, except where a crashed writer's log is recovered
CONNECTIONS = 4
TOGETHER = 100  # questions in one statement

Rows = Sequence[Sequence[Any]]


@dataclass(frozen=True, eq=False)
class Statement:
    """A SELECT with parameters $1, $2, ..., and their PostgreSQL types."""

    text: str
    types: tuple[str, ...] = ()
    for_sqlite: str = field(init=False)
    for_each: str = field(init=False)
    """The same for many questions at once, given as one array per parameter: the number of the question, from 1,
    comes before the columns of each row. PostgreSQL only."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "for_sqlite", self.text.replace("$", "?"))
        text = self.text
        for number in range(len(self.types), 0, -1):
            text = text.replace(f"${number}", f"asked.value_{number}")
        arrays = ", ".join(f"${number}::{type_}[]" for number, type_ in enumerate(self.types, 1))
        values = ", ".join(f"value_{number}" for number in range(1, len(self.types) + 1))
        asked = f"unnest({arrays}) WITH ORDINALITY AS asked({values}, question)"
        object.__setattr__(self, "for_each", f"SELECT asked.question, found.* FROM {asked}, LATERAL ({text}) AS found")  # noqa: S608


class RowReader(Protocol):
    async def rows(self, statement: Statement, *values: object) -> Rows:
        """All rows. Raises what the reader was made with."""
        ...

    async def close(self) -> None: ...


def row_reader(engine: Engine, unavailable: type[Exception]) -> SqliteRows | PostgresRows:
    """The reader of the database that the engine is for."""
    if engine.dialect.name == "postgresql":
        dsn = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        return PostgresRows(dsn, unavailable)
    return SqliteRows(Path(engine.url.database or ""), unavailable)


class SqliteRows:
    """On the caller's thread: a read takes microseconds, a hop to another thread takes longer."""

    def __init__(self, path: Path, unavailable: type[Exception]) -> None:
        self._path = path
        self._unavailable = unavailable
        self._connection: sqlite3.Connection | None = None

    async def rows(self, statement: Statement, *values: object) -> Rows:
        try:
            if self._connection is None:
                uri = self._path.absolute().as_uri() + "?mode=rw"
                self._connection = sqlite3.connect(uri, uri=True, timeout=BUSY_S, isolation_level=None)
            return self._connection.execute(statement.for_sqlite, values).fetchall()
        except sqlite3.Error as error:
            await self.close()
            raise self._unavailable(type(error).__name__) from error

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class PostgresRows:
    """On a small pool; each statement is prepared once per connection.

    Questions of one kind that are asked in the same round of the event loop share a statement: where many requests
    arrive at once, most of a read is its round trip.
    """

    def __init__(self, dsn: str, unavailable: type[Exception]) -> None:
        self._sessions = PostgresSessions(dsn, CONNECTIONS)
        self._unavailable = unavailable
        self._asked: dict[Statement, list[_Question]] = defaultdict(list)
        self._reading: set[asyncio.Task[None]] = set()

    async def rows(self, statement: Statement, *values: object) -> Rows:
        if not statement.types:
            return await self._fetch(statement.text)
        loop = asyncio.get_running_loop()
        question = _Question(values, loop.create_future())
        asked = self._asked[statement]
        asked.append(question)
        if len(asked) == 1:
            loop.call_soon(self._read, statement)
        elif len(asked) == TOGETHER:
            self._read(statement)
        answer = await question.answer
        return await self._fetch(statement.text, *values) if answer is None else answer

    async def run(self, statement: str, *values: object) -> None:
        """A statement that gives no rows, in a transaction of its own."""
        await self._fetch(statement, *values)

    async def close(self) -> None:
        await asyncio.gather(*self._reading, return_exceptions=True)
        await self._sessions.close()

    def _read(self, statement: Statement) -> None:
        asked = self._asked.pop(statement, ())
        if len(asked) == 1:  # most of the time: it asks by itself, which takes no task and the plain statement
            asked[0].settle(None)
        elif asked:
            task = asyncio.create_task(self._answer(statement, asked))
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)

    async def _answer(self, statement: Statement, asked: Sequence[_Question]) -> None:
        answers: list[Rows | Exception] = [self._unavailable("cancelled") for _ in asked]
        try:
            answers = await self._answers(statement, [question.values for question in asked])
        finally:
            for question, answer in zip(asked, answers, strict=True):
                question.settle(answer)

    async def _answers(self, statement: Statement, asked: Sequence[tuple[object, ...]]) -> list[Rows | Exception]:
        try:
            rows = await self._fetch(statement.for_each, *map(list, zip(*asked, strict=True)))
        except self._unavailable as error:
            if len(asked) == 1 or not isinstance(error.__cause__, asyncpg.DataError):
                return [error for _ in asked]
            # One of them cannot be asked at all, such as a text with a zero byte: that is nothing to the others.
            return [answer for one in asked for answer in await self._answers(statement, [one])]
        answers: list[list[Sequence[Any]]] = [[] for _ in asked]
        for row in rows:
            answers[row[0] - 1].append(row[1:])
        return [*answers]

    async def _fetch(self, text: str, *values: object) -> Rows:
        try:
            async with self._sessions.session() as session:
                found: Rows = await session.fetch(text, *values)
                return found
        except DATABASE_ERRORS as error:
            raise self._unavailable(type(error).__name__) from error


@dataclass(frozen=True)
class _Question:
    """The parameters of a statement. Who asked may have gone away, which cancels the answer and nothing else.

    The answer is None where nobody else has asked.
    """

    values: tuple[object, ...]
    answer: asyncio.Future[Rows | None]

    def settle(self, answer: Rows | Exception | None) -> None:
        if self.answer.done():
            return
        if isinstance(answer, Exception):
            self.answer.set_exception(answer)
        else:
            self.answer.set_result(answer)


def instant(value: Any) -> datetime | None:
    """An aware UTC time; SQLite keeps it as text without a zone."""
    if value is None:
        return None
    moment: datetime = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def document(value: Any) -> Any:
    """A JSON column, which both drivers give as text."""
    return msgspec.json.decode(value)


def identifier(value: Any) -> UUID:
    """A UUID column; SQLite keeps it as 32 hex digits."""
    return UUID(value) if isinstance(value, str) else UUID(int=value.int)

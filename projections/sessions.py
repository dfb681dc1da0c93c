"""Plain SQL straight to the driver, for statements that are the same again and again.

The live projector shares its process with people who wait for an answer: what a toolkit costs per statement would be
most of what an order costs here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import Any

import sqlalchemy as sa

Values = Sequence[Any]


class Sql:
    """Runs statements on a cursor of the driver, in whatever transaction it is. Their marks are `?` on both databases.

    Raises the driver's errors.
    """

    def __init__(self, cursor: Any, dialect: sa.Dialect) -> None:
        self.cursor = cursor
        self.is_postgresql = dialect.name == "postgresql"

    def run(self, statement: str, values: Values = ()) -> None:
        self.cursor.execute(_marked(statement) if self.is_postgresql else statement, values)

    def many(self, statement: str, rows: Sequence[Values]) -> None:
        self.cursor.executemany(_marked(statement) if self.is_postgresql else statement, rows)

    def rows(self, statement: str, values: Values = ()) -> list[tuple[Any, ...]]:
        self.run(statement, values)
        found: list[tuple[Any, ...]] = self.cursor.fetchall()
        return found


@cache
def _marked(statement: str) -> str:
    return statement.replace("?", "%s")


@contextmanager
def sql_of(connection: sa.Connection) -> Iterator[Sql]:
    """Plain SQL in the transaction of a toolkit's connection. Raises DBAPIError."""
    cursor, dialect = cursor_of(connection.connection, connection.dialect), connection.dialect
    driver: Any = dialect.loaded_dbapi
    try:
        yield Sql(cursor, dialect)
    except driver.Error as error:
        if dialect.is_disconnect(error, connection.connection, cursor):
            connection.invalidate(error)
            connection.engine.dispose()  # the others of the pool are lost too
        raise translated(error, dialect) from error
    finally:
        cursor.close()


def cursor_of(connection: Any, dialect: sa.Dialect) -> Any:
    """A cursor of the driver. PostgreSQL sends it values as they are: as text, events would be twice as long."""
    return connection.cursor(binary=True) if dialect.name == "postgresql" else connection.cursor()


def translated(error: Exception, dialect: sa.Dialect) -> BaseException:
    """An error of the driver as the toolkit's, without the values that it happened with."""
    driver: Any = dialect.loaded_dbapi
    return sa.exc.DBAPIError.instance(None, None, error, driver.Error, True, dialect=dialect)


class Session:
    """One connection that is kept, used by one thread at a time. It is opened when it is needed, and dropped where
    anything goes wrong, so that the next use finds a working one. Raises SQLAlchemyError."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._error: type[Exception] = engine.dialect.loaded_dbapi.Error
        self._begin = "BEGIN" if engine.dialect.name == "postgresql" else "BEGIN IMMEDIATE"
        self._connection: Any = None
        self._together: Callable[[], AbstractContextManager[Any]] = nullcontext
        self._sql: Sql | None = None

    def rows(self, statement: str, values: Values = ()) -> list[tuple[Any, ...]]:
        """One query, in a transaction of its own."""
        with self._opened() as sql:
            return sql.rows(statement, values)

    def run(self, statement: str) -> None:
        """One statement that gives no rows, in a transaction of its own."""
        with self._opened() as sql:
            sql.run(statement)

    @contextmanager
    def writing(self) -> Iterator[Sql]:
        """A transaction that writes, committed at the end; on SQLite it has the write lock from the start. PostgreSQL
        is only waited for where rows are read and at the end, so an error may come later than its statement."""
        with self._opened() as sql, self._together():
            sql.run(self._begin)
            yield sql
            sql.run("COMMIT")

    def close(self) -> None:
        """Whatever is under way is rolled back."""
        connection, self._connection, self._sql = self._connection, None, None
        if connection is not None:
            connection.close()

    @contextmanager
    def _opened(self) -> Iterator[Sql]:
        try:
            yield self._sql or self._open()
        except BaseException as error:
            self.close()
            if isinstance(error, self._error):
                raise translated(error, self._engine.dialect) from error
            raise

    def _open(self) -> Sql:
        pooled = self._engine.raw_connection()
        self._connection = pooled.dbapi_connection
        pooled.detach()  # the pool forgets it: its settings are ours
        if self._engine.dialect.name == "postgresql":
            self._connection.autocommit = True  # we say BEGIN ourselves, and only where something is written
            self._together = self._connection.pipeline
        self._sql = Sql(cursor_of(self._connection, self._engine.dialect), self._engine.dialect)
        return self._sql

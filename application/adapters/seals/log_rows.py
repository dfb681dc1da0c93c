"""The stored events as they lie in the table: nothing is decoded, and nothing is made better than it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from application.audit.seals.leaf import Row
from application.audit.seals.storing import StoreFailed

_ROWS = (
    "SELECT notification_id, {stream}, originator_version, topic, state FROM stored_events"
    " WHERE notification_id > {mark} ORDER BY notification_id LIMIT {mark}"
)
_BROKEN = "Could not decode to UTF-8"  # what the driver says of text that is none
_HEAD = "SELECT coalesce(max(notification_id), 0) FROM stored_events"


class SqlLogRows:
    """The `LogRows` of a database; `engine` is its own, and closed with it."""

    def __init__(self, engine: sa.Engine) -> None:
        if engine.dialect.name == "postgresql":
            self._query = _ROWS.format(stream="originator_id::text", mark="%s")
        else:
            self._query = _ROWS.format(stream="originator_id", mark="?")
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    def after(self, position: int, limit: int) -> Sequence[Row]:
        return self._fetch(self._query, (position, limit))

    def head(self) -> int:
        return int(self._fetch(_HEAD, ())[0][0])

    def close(self) -> None:
        self._engine.dispose()

    def _fetch(self, query: str, values: tuple[int, ...]) -> Sequence[Any]:
        try:
            with self._engine.connect() as connection:
                try:
                    return _rows(connection, query, values)
                except (sqlite3.OperationalError, OperationalError) as error:
                    if _BROKEN not in str(error):
                        raise
                with _broken_text_kept(connection):
                    return _rows(connection, query, values)
        except SQLAlchemyError as error:
            raise StoreFailed(type(error).__name__) from error


def _rows(connection: sa.Connection, query: str, values: tuple[int, ...]) -> Sequence[Any]:
    cursor = connection.exec_driver_sql(query, values).cursor
    return cursor.fetchall() if cursor else ()  # the driver's own tuples: half the time of SQLAlchemy's


@contextmanager
def _broken_text_kept(connection: sa.Connection) -> Iterator[None]:
    """Text that is no UTF-8 is something to find, not something to fail on. It is rare, and costs a call per value."""
    driver: Any = connection.connection.dbapi_connection
    driver.text_factory = lambda raw: raw.decode(errors="surrogateescape")
    try:
        yield
    finally:
        driver.text_factory = str

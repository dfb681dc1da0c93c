"""The stored events as they lie in the table: nothing is decoded, and nothing is made better than it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from application.audit.seals.leaf import Row
from application.audit.seals.storing import StoreFailed

_ROWS = (
    "SELECT notification_id, {stream}, originator_version, topic, state FROM stored_events"
    " WHERE notification_id > {mark} ORDER BY notification_id LIMIT {mark}"
)
_HEAD = "SELECT coalesce(max(notification_id), 0) FROM stored_events"


class SqlLogRows:
    """The `LogRows` of a database; `engine` is its own, and closed with it."""

    def __init__(self, engine: sa.Engine) -> None:
        if engine.dialect.name == "postgresql":
            self._query = _ROWS.format(stream="originator_id::text", mark="%s")
        else:
            self._query = _ROWS.format(stream="originator_id", mark="?")
            sa.event.listen(engine, "connect", _keep_broken_text)
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
                cursor = connection.exec_driver_sql(query, values).cursor
                return cursor.fetchall() if cursor else ()  # the driver's own tuples: half the time of SQLAlchemy's
        except SQLAlchemyError as error:
            raise StoreFailed(type(error).__name__) from error


def _keep_broken_text(connection: sqlite3.Connection, _record: object) -> None:
    """Text that is no UTF-8 is something to find, not something to fail on."""
    connection.text_factory = lambda raw: raw.decode(errors="surrogateescape")

"""Reads the stored log as it stands, row by row and undecoded, for audits that pass over all of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from application.audit.state import StoredRow

STREAMS_AT_ONCE = 500


class LogScan:
    """Blocks; every statement is a transaction of its own. Raises SQLAlchemyError."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._postgresql = engine.dialect.name == "postgresql"
        self._mark = "%s" if self._postgresql else "?"
        stream_id = "originator_id::text" if self._postgresql else "originator_id"
        self._select = f"SELECT notification_id, {stream_id}, originator_version, topic, state FROM stored_events"  # noqa: S608

    def head(self) -> int:
        """The last position; 0 when the log is empty."""
        return int(self._rows("SELECT coalesce(max(notification_id), 0) FROM stored_events", ())[0][0])

    def page(self, after: int, limit: int) -> list[StoredRow]:
        """The next events after a position, at most `limit`."""
        where = f"WHERE notification_id > {self._mark} ORDER BY notification_id LIMIT {self._mark}"
        return self._events(where, (after, limit))

    def of_topics(self, topics: Sequence[str], after: int, end: int) -> list[StoredRow]:
        """The events of these topics after one position and up to another."""
        marks = ", ".join([self._mark] * len(topics))
        where = (
            f"WHERE notification_id > {self._mark} AND notification_id <= {self._mark} AND topic IN ({marks})"
            " ORDER BY notification_id"
        )
        return self._events(where, (after, end, *topics))

    def streams(self, stream_ids: Sequence[str], up_to: int | None = None) -> Iterator[StoredRow]:
        """The events of the streams, at most up to a position, by version within each stream."""
        for start in range(0, len(stream_ids), STREAMS_AT_ONCE):
            yield from self._streams(stream_ids[start : start + STREAMS_AT_ONCE], up_to)

    def _streams(self, stream_ids: Sequence[str], up_to: int | None) -> list[StoredRow]:
        marks = ", ".join([self._mark + "::uuid" if self._postgresql else self._mark] * len(stream_ids))
        where, values = f"WHERE originator_id IN ({marks})", [*stream_ids]
        if up_to is not None:
            where += f" AND notification_id <= {up_to:d}"
        return self._events(where + " ORDER BY originator_id, originator_version", values)

    def _events(self, where: str, values: Sequence[Any]) -> list[StoredRow]:
        return list(map(StoredRow._make, self._rows(f"{self._select} {where}", values)))

    def _rows(self, query: str, values: Sequence[Any]) -> Sequence[Any]:
        with self._engine.connect() as connection:
            found = connection.exec_driver_sql(query, tuple(values))
            assert found.cursor is not None, "a SELECT"
            return found.cursor.fetchall()  # the driver's own tuples: SQLAlchemy's rows cost more than all checks

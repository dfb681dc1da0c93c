"""One moment of a read model for as long as a command needs it, also for an export of everything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from projections.model import ReadModel
from projections.registry import RebuildNeeded, read_registry
from projections.storage import Storage, read_position

# A reader of millions of rows takes longer than the limits of a request allow, and pauses while it writes files.
_POSTGRESQL = "SET LOCAL statement_timeout = '10min'; SET LOCAL idle_in_transaction_session_timeout = '10min'"


@contextmanager
def reading(storage: Storage, model: ReadModel) -> Iterator[tuple[int, sa.Connection]]:
    """The position that the served generation stands at, and a connection that sees it so. Raises RebuildNeeded."""
    with storage.control.connect() as control:
        entry = read_registry(control).get(model.name)
    served = entry.served(model) if entry else None
    if served is None:
        raise RebuildNeeded(model.name)
    with storage.reader(served.place).begin() as connection:
        if storage.is_postgresql:
            connection.exec_driver_sql(_POSTGRESQL)
        yield read_position(connection, served.place), connection

"""An end for every query, on either database.

Sources: SQLite's sqlite3_progress_handler and its result codes; PostgreSQL's table of error codes (SQLSTATE).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from application.adapters.sql import STATEMENT_TIMEOUT_S

SQLITE_STEPS = 20_000  # of its virtual machine between two looks at the clock: about a millisecond
QUERY_CANCELED = "57014"


class TookTooLong(TimeoutError):
    """A query came to the end of its time, on whichever database; the connection is fine."""


@contextmanager
def limited(connection: Connection, limit_s: float = STATEMENT_TIMEOUT_S) -> Iterator[None]:
    """Ends what is read in the block after the limit, also on SQLite, which has no such limit of its own. (PostgreSQL
    has one for each statement.) Raises TookTooLong."""
    driver = connection.connection.dbapi_connection
    deadline = monotonic() + limit_s
    try:
        if isinstance(driver, sqlite3.Connection):
            driver.set_progress_handler(lambda: monotonic() > deadline, SQLITE_STEPS)
        yield
    except DBAPIError as error:
        if _is_out_of_time(error.orig):
            raise TookTooLong(f"more than {limit_s:g} s") from error
        raise
    finally:
        if isinstance(driver, sqlite3.Connection):
            driver.set_progress_handler(None, 0)


def _is_out_of_time(error: BaseException | None) -> bool:
    if isinstance(error, sqlite3.Error):
        return error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT
    return getattr(error, "sqlstate", None) == QUERY_CANCELED

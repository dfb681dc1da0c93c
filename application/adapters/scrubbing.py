"""Takes erased rows out of a database's files, where a DELETE or UPDATE leaves them for later use.

SQLite: `secure_delete` overwrites what a statement frees, but a page that was split or moved may keep a copy in a gap.
So the tables are emptied, which frees and overwrites all of their pages, and filled again, in one transaction; then the
write-ahead log is copied into the file and cut to nothing (https://sqlite.org/pragma.html#pragma_secure_delete,
https://sqlite.org/pragma.html#pragma_wal_checkpoint).

PostgreSQL: its statistics copy values of a column, so those that hold personal data or keys are kept out of them, and
what they hold of an earlier time is dropped (https://www.postgresql.org/docs/current/catalog-pg-statistic.html).
VACUUM FULL writes the live rows to a new file and removes the old one; a transaction that can still see the
old rows would carry them over, so those are waited for. The server's write-ahead log, its archive, replicas and backups
keep what was in them (https://www.postgresql.org/docs/current/sql-vacuum.html).
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from application.adapters.sql import make_engine
from application.ports.erasure import NotScrubbed

LOCK_NOT_AVAILABLE = "55P03"  # https://www.postgresql.org/docs/current/errcodes-appendix.html
WAIT_S = 20.0  # for readers of old rows, and for a lock on a table
REWRITE_S = 600  # for one table
POLL_S = 0.05
LOCK_TIMEOUT_MS = (
    300  # whoever comes after one that waits for a whole table waits too: requests, for no longer than this
)
LOCK_PAUSE_S = 0.5

_STATISTICS = "pg_catalog.pg_statistic"
_KEPT_OUT = "kept out of statistics"  # of a column

# Columns that are to be kept out, of a table of ours, and are not yet.
_TAKEN_IN = text(
    "SELECT attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid WHERE attrelid = to_regclass(:name)"
    " AND attname = ANY(:columns) AND coalesce(attstattarget, -1) <> 0 AND pg_has_role(relowner, 'USAGE')"
)
_HELD = text(
    "SELECT attname FROM pg_stats WHERE to_regclass(quote_ident(schemaname) || '.' || quote_ident(tablename))"
    " = to_regclass(:name) AND attname = ANY(:columns)"
)
_MAY_REWRITE_ALL = text(
    "SELECT pg_has_role(datdba, 'USAGE') OR current_setting('is_superuser')::boolean FROM pg_database"
    " WHERE datname = current_database()"
)

# Sessions that may still see what was there before the transaction :mark.
_OLDER = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND backend_xmin IS NOT NULL AND age(backend_xmin) > age(CAST(CAST(:mark AS text) AS xid))"
)


def without_statistics(table: Table, *names: str) -> None:
    """Mark columns whose values PostgreSQL must not copy into its statistics, where no erasure would find them."""
    for name in names:
        table.c[name].info[_KEPT_OUT] = True


def keep_out_of_statistics(connection: Connection, tables: Iterable[Table]) -> None:
    """Have PostgreSQL take in no more of the marked columns, also of tables that were made before they were marked."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables:
        for name in connection.scalars(_TAKEN_IN, _marked(table)).all() if _marked(table)["columns"] else ():
            connection.execute(text(f"ALTER TABLE {table.fullname} ALTER COLUMN {name} SET STATISTICS 0"))


def _marked(table: Table) -> dict[str, object]:
    return {"name": table.fullname, "columns": [column.name for column in table.c if column.info.get(_KEPT_OUT)]}


def scrub(engine: Engine, tables: Sequence[Table], *, wait_s: float = WAIT_S) -> None:
    """Rewrite the tables, so that nothing but their rows is left in the files. Blocks. Raises NotScrubbed."""
    try:
        if engine.dialect.name == "postgresql":
            _rewrite_postgresql(engine, tables, wait_s)
        else:
            _rewrite_sqlite(Path(str(engine.url.database)), [table.name for table in tables], wait_s)
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise NotScrubbed(f"the tables could not be rewritten ({type(error).__name__})") from error


def _rewrite_sqlite(file: Path, tables: Sequence[str], wait_s: float) -> None:
    with closing(sqlite3.connect(file, timeout=wait_s, isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA temp_store = MEMORY")  # a temporary file would be one more copy
        connection.execute("PRAGMA foreign_keys = OFF")  # all rows come back before anybody looks
        connection.execute("BEGIN IMMEDIATE")
        for name in tables:
            connection.execute(f"CREATE TEMP TABLE kept AS SELECT * FROM main.{name}")  # noqa: S608 - our own names
            connection.execute(f"DELETE FROM main.{name}")  # noqa: S608
            connection.execute(f"INSERT INTO main.{name} SELECT * FROM kept")  # noqa: S608
            connection.execute("DROP TABLE kept")
        connection.execute("COMMIT")
        _cut_write_ahead_log(connection, wait_s)


def _cut_write_ahead_log(connection: sqlite3.Connection, wait_s: float) -> None:
    deadline = time.monotonic() + wait_s
    while connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        if time.monotonic() > deadline:
            raise NotScrubbed(
                "somebody has been reading the file all the time, so its write-ahead log could not be cut"
            )
        time.sleep(POLL_S)


def _rewrite_postgresql(engine: Engine, tables: Sequence[Table], wait_s: float) -> None:
    patient = make_engine(engine.url.set(drivername="postgresql").render_as_string(hide_password=False))
    try:
        with patient.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text(f"SET statement_timeout = '{REWRITE_S}s'"))
            connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT_MS}ms'"))
            mark = connection.scalar(text("SELECT CAST(CAST(pg_current_xact_id() AS xid) AS text)"))
            deadline = time.monotonic() + wait_s
            while connection.scalar(_OLDER, {"mark": mark}):
                if time.monotonic() > deadline:
                    raise NotScrubbed("a transaction that began before the erasure is still open; end it")
                time.sleep(POLL_S)
            held = [_forget_statistics(connection, table, deadline) for table in tables]
            for table in tables:
                _persist(connection, f"VACUUM (FULL) {table.fullname}", table.name, deadline)
            if connection.scalar(_MAY_REWRITE_ALL):
                _persist(connection, f"VACUUM (FULL) {_STATISTICS}", _STATISTICS, deadline)
            elif any(held):
                raise NotScrubbed(
                    "old statistics may still hold erased values: as the database's owner, run"
                    f" VACUUM (FULL) {_STATISTICS}; then run this again"
                )
    finally:
        patient.dispose()


def _forget_statistics(connection: Connection, table: Table, deadline: float) -> bool:
    """Drop what is known of the marked columns; giving a column the type that it has does that, and rewrites nothing.

    Whether there was anything.
    """
    held = connection.scalars(_HELD, _marked(table)).all()
    for name in held:
        kind = table.c[name].type.compile(connection.dialect)
        _persist(connection, f"ALTER TABLE {table.fullname} ALTER COLUMN {name} TYPE {kind}", table.name, deadline)
    return bool(held)


def _persist(connection: Connection, statement: str, name: str, deadline: float) -> None:
    """Try for the lock again and again, a moment each: a backup may be reading the table for long."""
    while True:
        try:
            connection.execute(text(statement))
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                raise
            if time.monotonic() > deadline:
                raise NotScrubbed(
                    f"somebody has been using {name} all the time, so it could not be rewritten"
                ) from error
            time.sleep(LOCK_PAUSE_S)
        else:
            return

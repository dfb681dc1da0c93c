"""Looks at a database without changing it: is it there, can it be written, what is missing, what time is it there."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Engine, MetaData, Table, make_url

from application.adapters.sql import make_engine

LAST_EVENTS = 10_000  # whose topics are looked at; what is older has been met by the projector
BUSY_S = 3.0


class NotUsable(Exception):
    """The database cannot be used; the text says why and names no password."""


def shown(url: str) -> str:
    """The database's place, without user and password."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return str(parsed.database)
    socket = parsed.query.get("host") if parsed.host is None else None
    return f"{parsed.host or socket or 'localhost'}/{parsed.database or ''}"


def require_usable(url: str) -> str:
    """What answers there. Raises NotUsable where it cannot be reached or written."""
    if make_url(url).get_backend_name() == "sqlite":
        return _usable_file(Path(str(make_url(url).database)))
    engine = make_engine(url)
    try:
        with engine.connect() as connection:
            version, standby = connection.execute(
                sa.text("SELECT current_setting('server_version'), pg_is_in_recovery()")
            ).one()
            read_only = connection.scalar(sa.text("SHOW transaction_read_only")) == "on"
    except sa.exc.SQLAlchemyError as error:
        raise NotUsable(f"{shown(url)} cannot be reached ({_kind(error)})") from error
    finally:
        engine.dispose()
    if standby or read_only:
        raise NotUsable(f"{shown(url)} is read only{' (a standby)' if standby else ''}")
    return f"PostgreSQL {str(version).split()[0]} at {shown(url)}"


def _usable_file(file: Path) -> str:
    if not file.is_file():
        raise NotUsable(f"there is no file {file}")
    try:
        with closing(
            sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_S, isolation_level=None)
        ) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise NotUsable(f"{file} cannot be written ({error})") from error
    return f"SQLite {sqlite3.sqlite_version}, {file}"


def missing(
    engine: Engine, tables: Iterable[Table | str], schemas: Mapping[str, str | None] | None = None
) -> list[str]:
    """The tables, and columns of tables, that are not there. `schemas`: where those of a table's schema lie."""
    found, known = [], sa.inspect(engine)
    for table in tables:
        name, schema = (table, None) if isinstance(table, str) else (table.name, table.schema)
        schema = (schemas or {}).get(schema or "", schema)
        if not known.has_table(name, schema=schema):
            found.append(name)
        elif not isinstance(table, str):
            columns = {column["name"] for column in known.get_columns(name, schema=schema)}
            found += [f"{name}.{column.name}" for column in table.columns if column.name not in columns]
    return found


def tables_of(*metadatas: MetaData) -> list[Table]:
    return [table for metadata in metadatas for table in metadata.sorted_tables]


def has_insert_function(engine: Engine) -> bool:
    """Whether PostgreSQL has the function that every insert into the log goes through."""
    with engine.connect() as connection:
        count = connection.scalar(sa.text("SELECT count(*) FROM pg_proc WHERE proname = 'append_stored_events'"))
    return bool(count)


def unknown_topics(engine: Engine, known: Collection[str]) -> list[str]:
    """Topics among the last events of the log that are none of those."""
    query = sa.text(
        "SELECT DISTINCT topic FROM stored_events"
        " WHERE notification_id > (SELECT coalesce(max(notification_id), 0) FROM stored_events) - :last"
    )
    with engine.connect() as connection:
        return sorted(set(connection.scalars(query, {"last": LAST_EVENTS})) - set(known))


def size_mb(engine: Engine) -> int:
    """Of a PostgreSQL database, in MB."""
    with engine.connect() as connection:
        return int(connection.scalar(sa.text("SELECT pg_database_size(current_database())")) or 0) // 1_000_000


def _kind(error: sa.exc.SQLAlchemyError) -> str:
    """The driver's class of error and the server's code, never its text: that may hold what was sent."""
    original = getattr(error, "orig", None)
    code = getattr(original, "sqlstate", None)
    return f"{type(original or error).__name__}{f' {code}' if code else ''}"

"""The tables of the event store. `migrate` may run any number of times, by several processes at once."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import asyncpg

from application.adapters.recorders import is_postgresql, sqlite_path
from application.adapters.recorders.postgresql_sessions import DATABASE_ERRORS
from application.event_log import StoreUnavailable

WAIT_S = 30.0  # for another process that migrates

SQLITE_TABLE = """
CREATE TABLE IF NOT EXISTS stored_events (
    notification_id INTEGER PRIMARY KEY AUTOINCREMENT, -- never reused and unchanged by VACUUM, unlike a bare rowid
    originator_id TEXT NOT NULL,
    originator_version INTEGER NOT NULL,
    topic TEXT NOT NULL,
    state BLOB NOT NULL,
    UNIQUE (originator_id, originator_version)
)
"""

# The identity's cache must stay at 1: a larger one would hand positions to sessions ahead of time, out of order.
POSTGRESQL_TABLE = """
CREATE TABLE IF NOT EXISTS stored_events (
    originator_id uuid NOT NULL,
    originator_version bigint NOT NULL,
    topic text NOT NULL,
    state bytea NOT NULL,
    notification_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY (CACHE 1),
    CONSTRAINT stored_events_pkey PRIMARY KEY (originator_id, originator_version),
    CONSTRAINT stored_events_notification_id_key UNIQUE (notification_id)
)
"""

# Positions are taken under the lock, which is let go after the transaction has become visible (CommitTransaction in
# PostgreSQL's xact.c leaves the list of running transactions first): no reader sees n + 1 before it can see n.
# Each insert of the group is a subtransaction: NULL says that a version was taken and that it left nothing behind.
# Its parameters never change: another shape gets another name, so that programs of two versions can run side by side
# (insert_stored_events, which a database may still have, is the one before).
POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION append_stored_events(
    sizes int[], ids uuid[], versions bigint[], topics text[], states bytea[], tell boolean
) RETURNS bigint[] LANGUAGE plpgsql AS $body$
DECLARE
    positions bigint[] := '{}';
    position bigint;
    violated text;
    size int;
    a int := 1;
    z int;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('stored_events', 0));
    FOREACH size IN ARRAY sizes LOOP
        z := a + size - 1;
        BEGIN
            WITH inserted AS (
                INSERT INTO stored_events (originator_id, originator_version, topic, state)
                SELECT * FROM unnest(ids[a:z], versions[a:z], topics[a:z], states[a:z])
                RETURNING notification_id
            )
            SELECT max(notification_id) INTO position FROM inserted;
        EXCEPTION WHEN unique_violation THEN
            GET STACKED DIAGNOSTICS violated = CONSTRAINT_NAME;
            IF violated <> 'stored_events_pkey' THEN
                RAISE;
            END IF;
            position := NULL;
        END;
        positions := positions || position;
        a := z + 1;
    END LOOP;
    IF tell THEN
        PERFORM pg_notify('stored_events', '');
    END IF;
    RETURN positions;
END
$body$
"""


async def migrate(url: str) -> None:
    """Bring the database to the present schema. Raises StoreUnavailable where it cannot be reached or changed."""
    try:
        if is_postgresql(url):
            await _migrate_postgresql(url)
        else:
            await asyncio.to_thread(_migrate_sqlite, sqlite_path(url))
    except (sqlite3.Error, *DATABASE_ERRORS) as error:
        raise StoreUnavailable(f"cannot migrate: {type(error).__name__}") from error


async def _migrate_postgresql(url: str) -> None:
    connection = await asyncpg.connect(url, timeout=WAIT_S, command_timeout=WAIT_S)
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('stored_events_migration', 0))")
            if await connection.fetchval("SELECT to_regclass('stored_events')") is None:
                await connection.execute(POSTGRESQL_TABLE)
            await connection.execute(POSTGRESQL_FUNCTION)
    finally:
        await connection.close()


def _migrate_sqlite(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=WAIT_S, isolation_level=None)) as connection:
        _use_write_ahead_log(connection)
        connection.execute(SQLITE_TABLE)


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Set WAL mode, which the file remembers. SQLite does not wait for the lock of this one change, so we do."""
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)

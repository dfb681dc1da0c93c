"""What the rebuild is held against: the event store library's own way, and a hand-written floor without any safety."""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Iterable, Iterator
from time import perf_counter
from typing import Any
from uuid import UUID

import psycopg
import sqlalchemy as sa
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.sqlite import SQLiteDatastore, SQLiteTrackingRecorder
from sqlalchemy.engine import make_url

from application.adapters.sql import make_engine
from application.stored_events import CODEC
from domain.order import Order
from projections.orders import _VALUES, Orders, _requested, orders

COLUMNS = [column.name for column in orders.columns]
LOG = "SELECT notification_id, originator_id, originator_version, topic, state FROM stored_events"
MARKS = ", ".join(["{mark}"] * len(COLUMNS))
UPSERT = (
    f"INSERT INTO rival_orders ({', '.join(COLUMNS)}) VALUES ({MARKS}) ON CONFLICT (order_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])
)


def fold(rows: dict[UUID, dict[str, Any]], position: int, event: Any) -> UUID:
    """The same rows as the product's, by the shortest way."""
    order_id: UUID = event.originator_id
    if isinstance(event, Order.Requested):
        rows[order_id] = _requested(event, position)
    elif isinstance(event, Order.PaymentVoided | Order.PaymentRefunded):
        row = rows[order_id]
        if (row["state"], row["transaction_id"]) == ("submitted", event.transaction_id):
            row["state"] = "voided" if isinstance(event, Order.PaymentVoided) else "refunded"
    else:
        rows[order_id].update(_VALUES[type(event)](event))
    return order_id


def scanned(url: str, topics: Iterable[str], limit: int) -> Iterator[tuple[int, Any]]:
    """Position and event of these topics, in large chunks, straight from the driver."""
    wanted = list(topics)
    connection: Any
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        marks = ",".join("?" * len(wanted))
        query = f"{LOG} WHERE topic IN ({marks}) AND notification_id <= ? ORDER BY notification_id"
        cursor = connection.execute(query, (*wanted, limit))
    else:
        connection = psycopg.connect(url)
        cursor = connection.cursor("log")
        query = f"{LOG} WHERE topic = ANY(%s) AND notification_id <= %s ORDER BY notification_id"
        cursor.execute(query, (wanted, limit))
    text = url.startswith("sqlite")
    while rows := cursor.fetchmany(20_000):
        for position, stream_id, version, topic, state in rows:
            yield position, CODEC.readers[topic](UUID(stream_id) if text else stream_id, version, state)
    connection.close()


def floor(url: str) -> float:
    """Scan, decode, fold everything in memory, load it at once; seconds. No checkpoint, no restart, no flat memory."""
    gc.disable()
    engine = make_engine(url)
    table = orders.to_metadata(sa.MetaData(), schema=None, name="floor_orders")  # type: ignore[arg-type]
    for index in list(table.indexes):
        index.name = f"floor_{index.name}"  # type: ignore[assignment]
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateTable(table))
    began_s = perf_counter()
    rows: dict[UUID, dict[str, Any]] = {}
    for position, event in scanned(url, Orders().topics, 2**62):
        fold(rows, position, event)
    with engine.begin() as connection:
        _load(connection, table, rows)
        for index in table.indexes:
            index.create(connection)
    took_s = perf_counter() - began_s
    engine.dispose()
    return took_s


def _load(connection: sa.Connection, table: sa.Table, rows: dict[UUID, dict[str, Any]]) -> None:
    dialect = connection.dialect
    if dialect.name == "postgresql":
        cursor: Any = connection.connection.cursor()
        with cursor.copy(f"COPY {table.name} ({', '.join(COLUMNS)}) FROM STDIN") as copy:
            for row in rows.values():
                copy.write_row([row[name] for name in COLUMNS])
        return
    convert = [column.type.dialect_impl(dialect).bind_processor(dialect) for column in table.columns]
    values = [
        tuple(to_sql(row[name]) if to_sql else row[name] for name, to_sql in zip(COLUMNS, convert, strict=True))
        for row in rows.values()
    ]
    marks = ", ".join("?" * len(COLUMNS))
    connection.exec_driver_sql(f"INSERT INTO {table.name} VALUES ({marks})", values)


def library(url: str, events: int) -> float:
    """Events of the log per second, as the library does it: row and tracking in one transaction per event."""
    recorder, mark = _library_recorder(url)
    rows: dict[UUID, dict[str, Any]] = {}
    statement = UPSERT.format(mark=mark)
    began_s, position = perf_counter(), 0
    for position, event in scanned(url, Orders().topics, events):
        order_id = fold(rows, position, event)
        row = rows[order_id]
        values = [str(value) if mark == "?" and value is not None else value for value in row.values()]
        with recorder.datastore.transaction(commit=True) as cursor:
            recorder._insert_tracking(cursor, Tracking("orders", position))
            cursor.execute(statement, values)
    took_s = perf_counter() - began_s
    recorder.datastore.close()
    return position / took_s


def _library_recorder(url: str) -> tuple[Any, str]:
    columns = ", ".join(f"{name} {'TEXT PRIMARY KEY' if name == 'order_id' else 'TEXT'}" for name in COLUMNS)
    recorder: Any
    if url.startswith("sqlite"):
        recorder = SQLiteTrackingRecorder(SQLiteDatastore(url.removeprefix("sqlite:///") + "-library"))
        mark = "?"
    else:
        at = make_url(url)
        host = at.host or str(at.query.get("host", ""))
        recorder = PostgresTrackingRecorder(
            PostgresDatastore(
                dbname=str(at.database), host=host, port=str(at.port or 5432), user=at.username or "postgres",
                password=at.password or "",
            ),
            tracking_table_name="library_tracking",
        )  # fmt: skip
        mark = "%s"
    recorder.create_table()
    with recorder.datastore.transaction(commit=True) as cursor:
        cursor.execute(f"CREATE TABLE rival_orders ({columns})")
    return recorder, mark

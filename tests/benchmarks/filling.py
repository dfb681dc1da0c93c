"""A log of any size without the wait: the rows of one real order under new ids, and its row of the order list."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import Any, Final
from uuid import UUID

import asyncpg
import psycopg

from api.settings import beside_database
from tests.benchmarks.places import SQLITE, Place

BATCH_ORDERS: Final = 20_000
VARIED: Final = ("number", "request_id", "invoice_number", "transaction_id")  # of the order list: texts that differ
ROW: Final = "SELECT originator_id, originator_version, topic, state FROM stored_events ORDER BY notification_id"

Event = tuple[UUID, int, str, bytes]


class Template:
    """The events of one order in the order of their positions, and the columns of its row in the order list."""

    def __init__(self, rows: Sequence[Event], listed: dict[str, Any]) -> None:
        last = [row for row in rows if row[2].startswith("order.")][-1]
        request_id = json.loads(last[3])["correlation_id"].encode()
        self.events = [row for row in rows if request_id in row[3]]
        self.order_id = last[0]
        self.streams = list(dict.fromkeys(row[0] for row in self.events))
        self.listed = listed

    def orders(self, number: int) -> Iterator[tuple[list[Event], UUID]]:
        """New orders, each with its events and id. Ids of orders are in time order, as the product's own are."""
        first_ms = int(time.time() * 1000) - number
        for order in range(number):
            fresh = {stream: UUID(bytes=os.urandom(16), version=4) for stream in self.streams}
            order_id = UUID(int=(first_ms + order) << 80 | 7 << 76 | 2 << 62 | int.from_bytes(os.urandom(7)))
            fresh[self.order_id] = order_id
            yield [(fresh[stream], version, topic, state) for stream, version, topic, state in self.events], order_id

    def listing(self, order_id: UUID | str, position: int) -> list[Any]:
        """A row of the order list, its columns as in `listed`."""
        varied = {name: os.urandom(10).hex()[: len(value)] for name in VARIED if (value := self.listed.get(name))}
        return list((self.listed | varied | {"order_id": order_id, "requested_position": position}).values())


def fill(place: Place, url: str, events: int) -> None:
    """Add orders to a product's database, in which it has taken some, until the log has about so many events."""
    if place.kind == SQLITE:
        _fill_sqlite(url, events)
    else:
        asyncio.run(_fill_postgresql(url, events))


def stored_events(place: Place, url: str) -> int:
    """How many there are, by the last position."""
    query = "SELECT coalesce(max(notification_id), 0) FROM stored_events"
    if place.kind == SQLITE:
        with closing(sqlite3.connect(place.native(url))) as connection:
            return int(connection.execute(query).fetchone()[0])
    with psycopg.connect(url) as session:
        row = session.execute(query.encode()).fetchone()
        return int(row[0]) if row else 0


def _fill_sqlite(url: str, events: int) -> None:
    log, views = (sqlite3.connect(file.removeprefix("sqlite:///")) for file in (url, beside_database(url, "views")))
    with closing(log), closing(views):
        for connection in (log, views):
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA cache_size = -1500000")
        views.row_factory = sqlite3.Row
        rows = [(UUID(stream), *rest) for stream, *rest in log.execute(ROW)]
        template = Template(rows, dict(views.execute("SELECT * FROM view_orders LIMIT 1").fetchone()))
        marks = ",".join("?" * len(template.listed))
        position = len(rows)
        for batch in _batches(template.orders((events - len(rows)) // len(template.events))):
            log.executemany(
                "INSERT INTO stored_events (originator_id, originator_version, topic, state) VALUES (?, ?, ?, ?)",
                ((str(stream), *rest) for order, _ in batch for stream, *rest in order),
            )
            log.commit()
            listed = [
                template.listing(order_id.hex, position + n * len(template.events))
                for n, (_, order_id) in enumerate(batch, 1)
            ]
            views.executemany(f"INSERT INTO view_orders ({', '.join(template.listed)}) VALUES ({marks})", listed)
            views.commit()
            position += len(batch) * len(template.events)
        last = log.execute("SELECT max(notification_id) FROM stored_events").fetchone()[0]
        views.execute("UPDATE projection_checkpoints SET position = ?", (last,))
        views.commit()
        for connection in (log, views):
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


async def _fill_postgresql(url: str, events: int) -> None:
    connection = await asyncpg.connect(url)
    try:
        rows = [tuple(row) for row in await connection.fetch(ROW)]
        template = Template(rows, dict(await connection.fetchrow("SELECT * FROM view_orders LIMIT 1")))
        position = len(rows)
        for batch in _batches(template.orders((events - len(rows)) // len(template.events))):
            await connection.copy_records_to_table(
                "stored_events",
                records=[event for order, _ in batch for event in order],
                columns=["originator_id", "originator_version", "topic", "state"],
            )
            listed = [
                template.listing(order_id, position + n * len(template.events))
                for n, (_, order_id) in enumerate(batch, 1)
            ]
            await connection.copy_records_to_table("view_orders", records=listed, columns=list(template.listed))
            position += len(batch) * len(template.events)
        await connection.execute(
            "UPDATE projection_checkpoints SET position = (SELECT max(notification_id) FROM stored_events)"
        )
        await connection.execute("VACUUM ANALYZE stored_events")
        await connection.execute("VACUUM ANALYZE view_orders")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


def _batches(orders: Iterable[tuple[list[Event], UUID]]) -> Iterator[list[tuple[list[Event], UUID]]]:
    iterator = iter(orders)
    while batch := list(islice(iterator, BATCH_ORDERS)):
        yield batch

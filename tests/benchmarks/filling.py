"""A log of any size without the wait: the rows of one real order under new ids, in the log and in every read model."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import Final
from uuid import UUID

import asyncpg
import psycopg

from tests.benchmarks.filling_views import Views
from tests.benchmarks.places import SQLITE, Place

BATCH_ORDERS: Final = 20_000
ROWS: Final = "SELECT notification_id, originator_id, originator_version, topic, state FROM stored_events ORDER BY 1"

Event = tuple[UUID, int, str, bytes]


class Template:
    """The events of one order, in the order of their positions."""

    def __init__(self, rows: Sequence[tuple[int, UUID, int, str, bytes]]) -> None:
        last = [row for row in rows if row[3].startswith("order.")][-1]
        request_id = json.loads(last[4])["correlation_id"].encode()
        found = [row for row in rows if request_id in row[4]]
        self.positions = [row[0] for row in found]
        self.events: list[Event] = [row[1:] for row in found]
        self.order_id = last[1]
        self.streams = list(dict.fromkeys(event[0] for event in self.events))

    def orders(self, number: int) -> Iterator[dict[UUID, UUID]]:
        """New orders: each the new ids of the streams. Ids of orders are in time order, as the product's own are."""
        first_ms = int(time.time() * 1000) - number
        for order in range(number):
            fresh = {stream: UUID(bytes=os.urandom(16), version=4) for stream in self.streams}
            fresh[self.order_id] = UUID(
                int=(first_ms + order) << 80 | 7 << 76 | 2 << 62 | int.from_bytes(os.urandom(7))
            )
            yield fresh

    def events_of(self, fresh: dict[UUID, UUID]) -> Iterator[Event]:
        return ((fresh[stream], version, topic, state) for stream, version, topic, state in self.events)


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
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as log:
        log.execute("PRAGMA synchronous = OFF")
        log.execute("PRAGMA cache_size = -1500000")
        rows = [(position, UUID(stream), *rest) for position, stream, *rest in log.execute(ROWS)]
        template = Template(rows)
        with closing(Views(url, template.streams, template.positions)) as views:
            position = len(rows)
            for batch in _batches(template, events - len(rows)):
                log.executemany(
                    "INSERT INTO stored_events (originator_id, originator_version, topic, state) VALUES (?, ?, ?, ?)",
                    ((str(stream), *rest) for order in batch for stream, *rest in template.events_of(order)),
                )
                log.commit()
                views.add(batch, position)
                position += len(batch) * len(template.events)
            views.finish(log.execute("SELECT max(notification_id) FROM stored_events").fetchone()[0])
        log.execute("PRAGMA wal_checkpoint(TRUNCATE)")


async def _fill_postgresql(url: str, events: int) -> None:
    connection = await asyncpg.connect(url)
    try:
        rows = [tuple(row) for row in await connection.fetch(ROWS)]
        template = Template(rows)
        with closing(Views(url, template.streams, template.positions)) as views:
            position = rows[-1][0]
            for batch in _batches(template, events - len(rows)):
                await connection.copy_records_to_table(
                    "stored_events",
                    records=[event for order in batch for event in template.events_of(order)],
                    columns=["originator_id", "originator_version", "topic", "state"],
                )
                await asyncio.to_thread(views.add, batch, position)
                position += len(batch) * len(template.events)
            views.finish(await connection.fetchval("SELECT max(notification_id) FROM stored_events"))
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


def _batches(template: Template, events: int) -> Iterator[list[dict[UUID, UUID]]]:
    iterator: Iterable[dict[UUID, UUID]] = template.orders(events // len(template.events))
    iterator = iter(iterator)
    while batch := list(islice(iterator, BATCH_ORDERS)):
        yield batch

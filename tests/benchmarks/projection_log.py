"""A log of real events for the benchmark of the projections: any number of orders, written in bulk."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable, Iterator
from itertools import cycle
from typing import Any

import psycopg

from api.bootstrap import migrate
from api.settings import Settings
from application.stored_events import CODEC
from tests.projections.histories import Wish, order_events, promotion_events

# Out of twenty orders: most are paid and their mail is sent.
MIX = (
    *(Wish("sent", both=True),) * 6,
    *(Wish("sent"),) * 5,
    *(Wish("sent", promotion=0),) * 3,
    Wish("declined"),
    Wish("refused"),
    Wish("mail-resent"),
    Wish("voided"),
    Wish("refunded", both=True),
    Wish("expired"),
)
CHUNK = 50_000

StoredRow = tuple[Any, int, str, bytes]


def rows(events: int) -> Iterator[StoredRow]:
    """At least so many events, as rows of the log without their positions."""
    made = 0
    for event in promotion_events():
        yield _row(event)
        made += 1
    for number, wish in enumerate(cycle(MIX), start=1):
        if made >= events:
            return
        day = Wish(wish.ending, wish.promotion, wish.both, days=number // 500 % 700, designation=wish.designation)
        for event in order_events(number, day):
            yield _row(event)
            made += 1


def _row(event: Any) -> StoredRow:
    stored = CODEC.encode(event)
    return stored.originator_id, stored.originator_version, stored.topic, stored.state


def filled(url: str, events: int) -> None:
    """Migrate the database and give it a log."""
    _load(url, rows(events))


def written(url: str, events: Iterable[Any]) -> None:
    """As `filled`, with these events."""
    _load(url, map(_row, events))


def _load(url: str, stored: Iterable[StoredRow]) -> None:
    asyncio.run(migrate(Settings(database_url=url)))
    columns = "stored_events (originator_id, originator_version, topic, state)"
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as file:
            found = ((str(stream_id), *rest) for stream_id, *rest in stored)
            file.executemany(f"INSERT INTO {columns} VALUES (?, ?, ?, ?)", found)
        file.close()
        return
    with psycopg.connect(url) as connection:
        with connection.cursor().copy(f"COPY {columns} FROM STDIN") as copy:
            for row in stored:
                copy.write_row(row)
        connection.commit()
        connection.autocommit = True
        connection.execute("ANALYZE stored_events")

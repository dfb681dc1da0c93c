"""A large log for the console: real orders copied under new ids, at other times, for other addresses and recipients.

Every copy decodes, decrypts and adds up as its original does, so that the product's own read models, search index and
seals can be made from the log.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg

from api.settings import Settings
from application.adapters.key_store import SqlKeyStore
from application.adapters.sql import make_engine
from application.personal_data import open_sealed, seal
from application.times import utc_text
from domain.personal_data import SealedPersonalData
from tests.helpers import run

DAYS: Final = 90
RECIPIENTS: Final = 20_000
BATCH_EVENTS: Final = 20_000
ROWS: Final = "SELECT originator_id, originator_version, topic, state FROM stored_events ORDER BY notification_id"
REQUESTED: Final = "order.requested.v1"
_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_VARIED = re.compile(rb'"(?:correlation_id|invoice_number|transaction_id)":"([^"]+)"')

Event = tuple[UUID, int, str, bytes]


@dataclass(frozen=True)
class Original:
    """All events of one request, and what is sealed in them."""

    events: Sequence[Event]
    order_id: UUID
    personal: dict[str, Any]
    key_id: str
    key: bytes

    def copy(self, number: int, shift: timedelta) -> list[Event]:
        """The same order again, that much earlier or later, for house `number`."""
        fresh = {stream: UUID(bytes=os.urandom(16), version=4) for stream, *_ in self.events}
        names = {str(old).encode(): str(new).encode() for old, new in fresh.items()}
        for _, _, _, state in self.events:
            for text in _VARIED.findall(state):
                names.setdefault(text, b"req_" + os.urandom(13).hex().encode() if text[:4] == b"req_" else _like(text))
        pattern = re.compile(b"|".join(map(re.escape, names)))
        copied: list[Event] = []
        for stream, version, topic, state in self.events:
            if topic == REQUESTED:
                state = self._sealed_again(state, fresh[self.order_id], number)
            state = pattern.sub(lambda found: names[found[0]], state)
            copied.append((fresh[stream], version, topic, _TIME.sub(lambda at: _moved(at[0], shift), state)))
        return copied

    def _sealed_again(self, state: bytes, order_id: UUID, number: int) -> bytes:
        info = self.personal["property_info"]
        address = info["address"] | {"street": f"{number} Alder Street"}
        personal = self.personal | {
            "property_info": info | {"address": address},
            "recipients": [f"client{number % RECIPIENTS}@example.com"],
        }
        sealed = seal(personal, self.key_id, self.key, order_id.bytes)
        content = json.loads(state)
        content["personal"] = {"key_id": sealed.key_id, "nonce": sealed.nonce, "ciphertext": sealed.ciphertext}
        return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()


def fill_log(settings: Settings, request_ids: Sequence[str], orders: int) -> None:
    """Add so many orders, copies of those that the requests made, evenly over the last DAYS days."""
    if settings.database_url.startswith("sqlite"):
        _fill_sqlite(settings, request_ids, orders)
    else:
        asyncio.run(_fill_postgresql(settings, request_ids, orders))


def _copies(originals: Sequence[Original], orders: int) -> Iterator[list[Event]]:
    span = timedelta(days=DAYS)
    for number in range(orders):
        yield originals[number % len(originals)].copy(number, span * (number / orders) - span)


def _fill_sqlite(settings: Settings, request_ids: Sequence[str], orders: int) -> None:
    with closing(sqlite3.connect(settings.database_url.removeprefix("sqlite:///"))) as log:
        log.execute("PRAGMA synchronous = OFF")
        rows = [(UUID(stream), *rest) for stream, *rest in log.execute(ROWS)]
        for copied in _copies(run(_originals(settings, rows, request_ids)), orders):
            log.executemany(
                "INSERT INTO stored_events (originator_id, originator_version, topic, state) VALUES (?, ?, ?, ?)",
                ((str(stream), *rest) for stream, *rest in copied),
            )
        log.commit()


async def _fill_postgresql(settings: Settings, request_ids: Sequence[str], orders: int) -> None:
    connection = await asyncpg.connect(settings.database_url)
    try:
        rows = [tuple(row) for row in await connection.fetch(ROWS)]
        batch: list[Event] = []
        for copied in _copies(await _originals(settings, rows, request_ids), orders):
            batch += copied
            if len(batch) > BATCH_EVENTS:
                await _insert(connection, batch)
                batch = []
        await _insert(connection, batch)
        await connection.execute("ANALYZE stored_events")
    finally:
        await connection.close()


async def _insert(connection: asyncpg.Connection, batch: Sequence[Event]) -> None:
    columns = ["originator_id", "originator_version", "topic", "state"]
    await connection.copy_records_to_table("stored_events", records=batch, columns=columns)


async def _originals(settings: Settings, rows: Sequence[Any], request_ids: Sequence[str]) -> list[Original]:
    keys = SqlKeyStore(make_engine(settings.key_store_url), settings.secret_key.get_secret_value().encode())
    try:
        return [await _original(keys, rows, request_id.encode()) for request_id in request_ids]
    finally:
        await keys.close()


async def _original(keys: SqlKeyStore, rows: Sequence[Event], request_id: bytes) -> Original:
    events = [row for row in rows if request_id in row[3] and not row[2].startswith("notification")]
    order_id, _, _, state = next(row for row in events if row[2] == REQUESTED)
    sealed = SealedPersonalData(**json.loads(state)["personal"])
    key = await keys.find(sealed.key_id)
    assert key is not None
    return Original(events, order_id, open_sealed(sealed, key, order_id.bytes), sealed.key_id, key)


def _like(text: bytes) -> bytes:
    """Another text of the same length: digits for digits, letters for letters."""
    fill = os.urandom(len(text))
    return bytes(
        48 + byte % 10 if old in b"0123456789" else 65 + byte % 26 for old, byte in zip(text, fill, strict=True)
    )


def _moved(text: bytes, shift: timedelta) -> bytes:
    return utc_text(datetime.fromisoformat(text.decode()).astimezone(UTC) + shift).encode()

"""Finds orders by e-mail address or property. Follows the log in the background and indexes what it opens.

The index is complete up to its position; a search brings it to the end of the log first, as far as its time allows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

from eventsourcing.persistence import Notification

from application.event_codec import CorruptEvent
from application.event_log import EventLog
from application.person_digests import MAX_CHARACTERS, PersonDigests
from application.personal_data import SealBroken, open_sealed
from application.ports import KeyStore
from application.ports.erasure import IndexEntry, PersonIndex
from domain.order import Order

log = logging.getLogger(__name__)

BATCH = 1_000  # orders; digests lie anywhere in the index, so each batch writes most of its pages anew
AT_ONCE = 5  # orders that are opened before others have a turn: a tenth of a millisecond
FEW_EVENTS = 10 * BATCH  # about what a full batch is; after less, the end of the log is near
POLL_S = 1.0
RETRY_S = 5.0
STAND_BY_S = 10.0  # a process that stops following is replaced within this
SEARCH_WAIT_S = 2.0
MAX_FOUND = 500


@dataclass(frozen=True)
class Found:
    """Orders, newest first, at most MAX_FOUND. `complete`: the index had seen the whole log."""

    order_ids: tuple[UUID, ...]
    position: int
    complete: bool


class PersonSearch:
    """One per process; any number of processes may follow the log at once, and each batch is taken in by one."""

    def __init__(self, events: EventLog, keys: KeyStore, index: PersonIndex, digests: PersonDigests) -> None:
        self._events = events
        self._keys = keys
        self._index = index
        self._digests = digests

    async def by_email(self, address: str, wait_s: float = SEARCH_WAIT_S) -> Found:
        """Orders whose confirmation went there, or whose contact on site has that address."""
        return await self._find([self._digests.email(address)], wait_s)

    async def by_place(self, text: str, wait_s: float = SEARCH_WAIT_S) -> Found:
        """Orders for that property: its address on one line, its street line, or its id."""
        return await self._find([self._digests.place(text)], wait_s)

    async def by_any(self, text: str, wait_s: float = SEARCH_WAIT_S) -> Found:
        """Either. What is longer than any address finds nothing."""
        if len(text) > MAX_CHARACTERS:
            return Found((), 0, complete=True)
        return await self._find([self._digests.email(text), self._digests.place(text)], wait_s)

    async def catch_up(self) -> int:
        """Take the next batch in; by how many positions it moved. Raises the errors of log, key store and index."""
        after = await self._index.position()
        head = await self._events.recorder.max_position()
        if head <= after:
            return 0
        topic = Order.Requested.TOPIC
        stored = await self._events.recorder.notifications(after + 1, BATCH, [topic])
        upto = stored[-1].id if len(stored) == BATCH else max([head, *(event.id for event in stored)])
        entries: list[IndexEntry] = []
        for place, event in enumerate(stored):
            if place % AT_ONCE == 0:
                await asyncio.sleep(0)  # whoever serves an order goes first
            entries += await self._entries(event)
        await self._index.add(entries, after, upto)
        return upto - after

    async def run(self) -> None:
        """Follow the log until cancelled; stand by while another process does."""
        failing, left_at = False, None
        while True:
            try:
                position = await self._index.position()
                if left_at not in (None, position):
                    left_at = position
                    await asyncio.sleep(STAND_BY_S)
                    continue
                moved = await self.catch_up()
                failing, left_at = False, position + moved
            except Exception as error:  # whatever it is, orders do not depend on it; the search says how far it is
                if not failing:
                    log.warning("the search index stands still: %s", type(error).__name__)
                failing, moved = True, 0
                await asyncio.sleep(RETRY_S)
            if moved < FEW_EVENTS:  # small batches cost most, and a search brings the index to the end by itself
                await asyncio.sleep(POLL_S)

    async def rebuild(self) -> None:
        """Forget everything; `catch_up` makes it again."""
        await self._index.clear()

    async def position(self) -> int:
        """How far the index has followed the log."""
        return await self._index.position()

    async def head(self) -> int:
        """The last position of the log."""
        return await self._events.recorder.max_position()

    async def _find(self, digests: Sequence[str], wait_s: float) -> Found:
        until = monotonic() + wait_s
        moved = await self.catch_up()
        while moved and monotonic() < until:
            moved = await self.catch_up()
        found = await self._index.find(digests, MAX_FOUND)
        return Found(tuple(found), await self._index.position(), complete=not moved)

    async def _entries(self, stored: Notification) -> list[IndexEntry]:
        """None of an order that cannot be read, or whose client was erased."""
        try:
            requested = self._events.codec.decode(stored)
            assert isinstance(requested, Order.Requested)
            key = await self._keys.find(requested.personal.key_id)
            if key is None:
                return []
            personal = open_sealed(requested.personal, key, requested.originator_id.bytes)
        except (CorruptEvent, SealBroken):
            log.warning("position %d cannot be indexed: it does not open", stored.id)
            return []
        order_id, client_id = requested.originator_id, requested.client_id
        return [IndexEntry(digest, order_id, client_id, stored.id) for digest in sorted(self._digests.of(personal))]

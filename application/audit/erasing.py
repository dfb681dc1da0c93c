"""Erases the personal data of a client: the intent is stored, then every store is emptied, then it is done.

    requested   client.erasure-requested.v1: from here on the erasure is to be finished
    directory   names and addresses emptied, sessions and cards removed, a tombstone against imports: no new order
    key         destroyed; the sealed data in the log is noise from here on. A process that has just used the key may
                go on opening with it for KEY_STALENESS_S
    index       the search no longer leads to the client's orders
    files       the tables are rewritten, so that no erased byte is left in the database's files
    erased      client.erased.v1

Every step may come twice. A crash leaves the intent, and the same command goes on from there; asked again later, it
carries every step out again, which is what to do after a backup from before the erasure was restored.
No stored event is changed: amounts, ids and the sealed bytes stay, so that the books and every seal still hold.
"""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

from application.event_log import EventLog
from application.ports import Clock, KeyDestroyed, KeyStore
from application.ports.erasure import ErasableDirectory, ErasableIndex, ErasedRecords
from domain.erasure import ClientErasure
from domain.stream import Metadata

T = TypeVar("T")

KEY_STALENESS_S = 60  # how long another process may still know a key (adapters/key_cache.py)
_NAMESPACE = uuid5(NAMESPACE_URL, "urn:pay-and-submit:client-erasure")

OUT_OF_REACH = (
    "backups and replicas of the databases, and archives of PostgreSQL's write-ahead log, until they expire: after"
    " restoring one from before the erasure, erase again",
    "what the payment gateway and the mail provider keep themselves: erase it there",
    "receipts in the mailboxes of their readers, and files that somebody exported",
    "keyed digests (HMAC) in the log: without ORDERS_SECRET_KEY they tell nothing",
)


class UnknownClient(Exception):
    """Nothing is known of such a client."""


class NotFinished(Exception):
    """The intent is stored, and a step could not be carried out; the same command goes on."""

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(f"{step}: {reason}")
        self.step = step


@dataclass(frozen=True)
class Erasure:
    """What an erasure did this time, and since when it counts."""

    client_id: int
    requested_at: datetime
    erased_at: datetime
    repeated: bool  # it had been finished before; every step was carried out again
    records: ErasedRecords
    index_entries: int


def erasure_id(client_id: int) -> UUID:
    """The stream of the client's erasure."""
    return uuid5(_NAMESPACE, str(client_id))


class EraseClient:
    """The use case; one per process."""

    def __init__(
        self, events: EventLog, keys: KeyStore, directory: ErasableDirectory, index: ErasableIndex, clock: Clock
    ) -> None:
        self._events = events
        self._keys = keys
        self._directory = directory
        self._index = index
        self._clock = clock

    async def __call__(self, client_id: int, *, actor: str, reason: str, request: str) -> Erasure:
        """Erase, or go on with it. Raises UnknownClient, NotFinished, StoreUnavailable, DirectoryUnavailable."""
        (known,) = await self._events.load((ClientErasure, erasure_id(client_id)))
        if known.requested_at is None and not await self._directory.knows(client_id):
            raise UnknownClient
        requested = await self._record(client_id, actor, request, reason)
        assert requested.requested_at is not None
        records = await _step("directory", self._directory.erase(client_id, requested.requested_at))
        await _step("key", self._destroy_key(client_id))
        entries = await _step("index", self._index.forget(client_id))
        await _step("files", self._directory.scrub())
        await _step("files", self._index.scrub())
        done = await self._record(client_id, actor, request, None)
        assert done.erased_at is not None
        repeated = requested.erased_at is not None
        return Erasure(client_id, requested.requested_at, done.erased_at, repeated, records, entries)

    async def _destroy_key(self, client_id: int) -> None:
        """A client without orders has no key: it gets one to destroy, so that none is made later."""
        with suppress(KeyDestroyed):
            await self._keys.key(client_id)
        await self._keys.destroy(client_id)

    async def _record(self, client_id: int, actor: str, request: str, reason: str | None) -> ClientErasure:
        """Store the intent where there is a reason, else the end; either only once."""

        def decide(erasure: ClientErasure) -> None:
            metadata = Metadata(self._clock.now(), actor, request, request)
            if reason is None:
                erasure.complete(metadata)
            else:
                erasure.request(metadata, client_id=client_id, reason=reason)

        return await self._events.change(ClientErasure, erasure_id(client_id), decide)


async def _step(name: str, step: Awaitable[T]) -> T:
    try:
        return await step
    except Exception as error:
        raise NotFinished(name, str(error) or type(error).__name__) from error

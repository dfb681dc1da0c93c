"""Takes settled batches in, once each: one commit, or as many as its transactions need.

All of a batch is read before any of it is stored. A run that fails half-way goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from application.event_log import Conflict, EventLog, StoreUnavailable
from application.ports import Clock, LookupFailed
from application.ports.settlement import SETTLED, BatchContents, BatchHeader, Settlements
from domain.settlement import SettlementBatch
from domain.stream import Metadata

PAGE = 2_000
SAVED_TOGETHER = 999  # transactions beside the header: the recorders take 1,000 events in one insert
MAX_RACES, RACE_PAUSE_S = 50, 0.5
_NAMESPACE = uuid5(NAMESPACE_URL, "urn:pay-and-submit:settlement-batch")

Progress = Callable[[str, int, int], None]
"""Told what is being done, and how far it has come of how much."""


@dataclass
class Imported:
    """What one import found."""

    batches: int = 0  # taken in now
    transactions: int = 0  # in them
    known_batches: int = 0  # taken in before
    not_settled: list[BatchHeader] = field(default_factory=list)  # the gateway is not done with them, or failed


class ImportSettlements:
    """Gateway to log. Raises LookupFailed where the gateway cannot be read, StoreUnavailable and CommitUnknown where
    the log cannot be written; what was imported until then stays."""

    def __init__(self, events: EventLog, settlements: Settlements, clock: Clock) -> None:
        self._events = events
        self._settlements = settlements
        self._clock = clock

    async def __call__(
        self, first: datetime, last: datetime, *, actor: str, request: str, progress: Progress
    ) -> Imported:
        """Import every batch that settled in the range. Importing it again adds no event."""
        imported = Imported()
        known = await self._known()
        headers = await self._settlements.batches(first, last)
        for number, header in enumerate(headers, start=1):
            if header.state != SETTLED:
                imported.not_settled.append(header)
            elif header.batch_id in known or not await self._take_in(header, imported, actor, request):
                imported.known_batches += 1
            progress("importing batches", number, len(headers))
        return imported

    async def _known(self) -> set[str]:
        """The batches that the log holds, whole."""
        found: set[str] = set()
        position = 0
        while page := await self._events.recorder.notifications(position + 1, PAGE, [SettlementBatch.Settled.TOPIC]):
            for stored in page:
                event = self._events.codec.decode(stored)
                assert isinstance(event, SettlementBatch.Settled)
                if event.transactions <= SAVED_TOGETHER or await self._is_complete(event.batch_id):
                    found.add(event.batch_id)
            position = page[-1].id
        return found

    async def _is_complete(self, batch_id: str) -> bool:
        (batch,) = await self._events.load((SettlementBatch, batch_stream_id(batch_id)))
        return batch.complete

    async def _take_in(self, header: BatchHeader, imported: Imported, actor: str, request: str) -> bool:
        """Whether anything was new: another process may import the same."""
        contents = await self._settlements.contents(header)
        (batch,) = await self._events.load((SettlementBatch, batch_stream_id(header.batch_id)))
        began_at, races = batch.recorded, 0
        is_new = batch.settled is None
        while not batch.complete:
            self._go_on(batch, header, contents, Metadata(self._clock.now(), actor, request, request))
            try:
                await self._events.save(batch)
            except Conflict:
                races += 1
                if races > MAX_RACES:
                    raise StoreUnavailable("too many lost races") from None
                await self._clock.sleep(RACE_PAUSE_S)  # somebody else imports the batch, and may well finish it
                (batch,) = await self._events.load((SettlementBatch, batch_stream_id(header.batch_id)))
                is_new = False
        taken_in = 0 if races else batch.recorded - began_at
        imported.batches += is_new or taken_in > 0
        imported.transactions += taken_in
        return is_new or taken_in > 0

    @staticmethod
    def _go_on(batch: SettlementBatch, header: BatchHeader, contents: BatchContents, metadata: Metadata) -> None:
        """The next part of the batch. Raises LookupFailed where it is no longer what it was."""
        if batch.settled is not None and batch.settled.transactions != len(contents.transactions):
            raise LookupFailed("batch-has-changed")
        batch.import_once(
            metadata,
            contents.transactions,
            most=SAVED_TOGETHER,
            batch_id=header.batch_id,
            settled_at=header.settled_at,
            state=header.state,
            charged_cents=header.charged_cents,
            refunded_cents=header.refunded_cents,
            answers_sha256=contents.answers_sha256,
        )


def batch_stream_id(batch_id: str) -> UUID:
    """The stream of the gateway's batch."""
    return uuid5(_NAMESPACE, batch_id)

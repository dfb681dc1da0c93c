"""The seals of a process, put together from the settings: what seals, and what reads and verifies."""

from __future__ import annotations

import base64
from uuid import uuid5

from api.settings import Settings
from application.adapters.seals.covering import SqlSeals
from application.adapters.seals.files import NoteFile, name_of_database
from application.adapters.seals.log_rows import SqlLogRows
from application.adapters.seals.store import SqlSealStore
from application.adapters.sql import make_engine
from application.audit.seals.checkpoint import Signer
from application.audit.seals.sealer import Sealer
from application.event_log import Conflict, EventLog
from application.notifications import SEALING_STOPPED, raised
from application.ports import Clock
from domain.stream import Metadata

ACTOR = "system:sealer"


class SealedLog:
    """The log with its seals: for the sealer, and for commands. Blocks."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.rows = SqlLogRows(make_engine(settings.database_url))
        self.store = SqlSealStore(make_engine(settings.seals_url))

    def file(self) -> NoteFile:
        """Raises StoreFailed."""
        settings = self._settings
        return NoteFile(settings.seals_folder, self.store.log_id, name_of_database(settings.database_url))

    def signer(self) -> Signer:
        """Raises StoreFailed."""
        return Signer(self.store.log_id, base64.b64decode(self._settings.seal_key.get_secret_value()))

    def close(self) -> None:
        self.rows.close()
        self.store.close()


class Sealing:
    """What a service has of it: the sealer, and `seals` for those who ask."""

    def __init__(self, settings: Settings, events: EventLog, clock: Clock, owner: str) -> None:
        self._events = events
        self._clock = clock
        self._log = SealedLog(settings)
        self.seals = SqlSeals(make_engine(settings.seals_url))
        self.sealer = Sealer(
            self._log.rows, self._log.store, self._log.file, self._log.signer, clock, owner=owner, alarm=self._alarm
        )

    async def close(self) -> None:
        await self.sealer.close()
        await self.seals.close()
        self._log.close()

    async def _alarm(self, problem: str) -> None:
        subject = uuid5(self._log.store.log_id, problem)
        request = f"sealer-{subject.hex}"
        metadata = Metadata(self._clock.now(), ACTOR, request, request)
        try:
            await self._events.save(raised(SEALING_STOPPED, subject, metadata, about_order=False))
        except Conflict:
            return  # it was raised before

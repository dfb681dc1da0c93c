"""Puts the erasure and the search by person together, as the composition root uses them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from api.settings import Settings
from application.adapters.directory.erasing import SqlErasableDirectory
from application.adapters.person_index import SqlPersonIndex
from application.adapters.sql import make_engine
from application.audit.erasing import EraseClient
from application.event_log import EventLog
from application.person_digests import PersonDigests
from application.person_search import PersonSearch
from application.ports import KeyStore

if TYPE_CHECKING:
    from api.bootstrap import Service


def person_search(settings: Settings, events: EventLog, keys: KeyStore) -> tuple[PersonSearch, SqlPersonIndex]:
    """The search, and its index, which whoever made it closes."""
    index = SqlPersonIndex(make_engine(settings.key_store_url))
    return PersonSearch(events, keys, index, PersonDigests(settings.secret_key.get_secret_value().encode())), index


@asynccontextmanager
async def erasing(service: Service) -> AsyncIterator[EraseClient]:
    """The erasure, over the parts of a running process."""
    directory = SqlErasableDirectory(make_engine(service.settings.database_url))
    try:
        yield EraseClient(service.events, service.keys, directory, service.person_index, service.clock)
    finally:
        await directory.close()

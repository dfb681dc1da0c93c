"""The parts of an installation that the checks look at; nothing is made that is missing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from threading import Lock
from typing import TypeVar

from sqlalchemy import Engine

from api.bootstrap import authorizenet_config, mandrill_config, policy_of
from api.read_models import ReadModels
from api.settings import Settings
from api.views_database import ViewsDatabase
from application.adapters.authorizenet.gateway import AuthorizeNetGateway
from application.adapters.key_store import SqlKeyStore
from application.adapters.mandrill import MandrillMailer
from application.adapters.sql import make_engine

T = TypeVar("T")


class Patient:
    """One installation, as its settings describe it. Belongs to one event loop; close it there."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.policy = policy_of(settings)
        self.gateway = AuthorizeNetGateway(authorizenet_config(settings))
        self.mailer = MandrillMailer(mandrill_config(settings))
        self._engines: dict[str, Engine] = {}
        self._making = Lock()

    def engine(self, url: str) -> Engine:
        """One engine per database."""
        with self._making:  # checks ask from threads of their own
            if url not in self._engines:
                self._engines[url] = make_engine(url)
            return self._engines[url]

    @cached_property
    def keys(self) -> SqlKeyStore:
        return SqlKeyStore(
            make_engine(self.settings.key_store_url), self.settings.secret_key.get_secret_value().encode()
        )

    @cached_property
    def read_models(self) -> ReadModels:
        return ReadModels(self.settings, self.policy, "doctor")

    @cached_property
    def views(self) -> ViewsDatabase:
        return ViewsDatabase(self.read_models.storage)

    async def blocking(self, look: Callable[[], T]) -> T:
        return await asyncio.to_thread(look)

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def close(self) -> None:
        await self.gateway.close()
        await self.mailer.close()
        if "keys" in vars(self):
            await self.keys.close()
        if "views" in vars(self):
            await self.views.close()
        if "read_models" in vars(self):
            await self.read_models.close()
        for engine in self._engines.values():
            engine.dispose()

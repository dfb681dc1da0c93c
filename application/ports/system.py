"""Time and fresh identifiers."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID


class Clock(Protocol):
    """The time of this process, UTC, and a way to wait."""

    def now(self) -> datetime: ...

    async def sleep(self, seconds: float) -> None: ...


class Ids(Protocol):
    """Fresh, unguessable identifiers."""

    def order_id(self, at: datetime) -> UUID: ...

    def invoice_number(self) -> str:
        """20 characters of base32 (100 random bits), unique per payment attempt; Authorize.net's limit is 20."""
        ...

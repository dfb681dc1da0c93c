"""The real clock and real randomness."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from uuid import UUID

from application.randomness import random_base32, random_bytes


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class RandomIds:
    """Ids from the operating system's randomness."""

    def order_id(self, at: datetime) -> UUID:
        """A version 7 UUID (RFC 9562): in time order, so that new orders land side by side in the index."""
        milliseconds = int(at.timestamp() * 1000)
        value = (milliseconds << 80) | int.from_bytes(random_bytes(10))
        value = value & ~(0xF << 76) | (0x7 << 76)
        value = value & ~(0x3 << 62) | (0x2 << 62)
        return UUID(int=value)

    def invoice_number(self) -> str:
        """100 random bits as 20 characters of base32: Authorize.net's longest."""
        return random_base32(20)

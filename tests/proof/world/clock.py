"""The time of a simulated process, and its ids: both from the seed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from tests.proof.world.loop import VirtualLoop

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class ProcessClock:
    """Virtual time, a little off."""

    def __init__(self, loop: VirtualLoop, skew_s: float) -> None:
        self._loop = loop
        self._skew_s = skew_s

    def now(self) -> datetime:
        return START + timedelta(seconds=self._loop.now_s + self._skew_s)

    async def sleep(self, seconds: float) -> None:
        await self._loop.sleep(seconds)


class SeededIds:
    """Looks like the real ones."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def order_id(self, at: datetime) -> UUID:
        return UUID(int=self._random.getrandbits(128), version=4)

    def invoice_number(self) -> str:
        bits = self._random.getrandbits(96) << 4
        return "".join(_BASE32[bits >> shift & 31] for shift in range(95, -1, -5))

"""How often one token, or one address with invalid tokens, may ask."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from api.errors import ApiError


class RateLimiter(Protocol):
    async def check(self, key: str, now: datetime, /) -> int | None:
        """Count one request of the key. None where it may pass, else the seconds to wait (at least 1)."""
        ...


async def hold_to_limit(limiter: RateLimiter, key: str, now: datetime) -> None:
    """Raise ApiError rate-limit-exceeded where the key has asked too often."""
    wait_s = await limiter.check(key, now)
    if wait_s is not None:
        raise ApiError("rate-limit-exceeded", retry_after_seconds=max(1, wait_s))

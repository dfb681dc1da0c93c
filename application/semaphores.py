"""Semaphores that are free most of the time, and waited for within a limit where they are not."""

from __future__ import annotations

import asyncio


async def acquire_within(semaphore: asyncio.Semaphore, timeout_s: float) -> None:
    """Acquire it. One that is free costs no timer. Raises TimeoutError."""
    if semaphore.locked():
        async with asyncio.timeout(timeout_s):
            await semaphore.acquire()
    else:
        await semaphore.acquire()  # does not wait

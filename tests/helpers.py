"""What tests need everywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

TEST_LIMIT_S = 30.0


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run the asynchronous part of a test, within a limit."""

    async def limited() -> T:
        async with asyncio.timeout(TEST_LIMIT_S):
            return await coroutine

    return asyncio.run(limited())

"""Refuses quickly what it could not serve in time, so that what was accepted is not hurt."""

from __future__ import annotations

from collections.abc import Callable

from api.errors import ApiError
from api.pay_and_submit.ports import SubmitOrderHandler
from application.commands import Outcome, SubmitOrder

MAX_UNDER_WAY = 1_000  # orders in one process at once; each costs memory only while it waits for a vendor


class BoundedHandler:
    """A handler that takes a bounded number of orders at once. Raises ApiError server-overloaded beyond it."""

    def __init__(self, handler: SubmitOrderHandler, limit: int = MAX_UNDER_WAY) -> None:
        self._handler = handler
        self._limit = limit
        self.under_way = 0

    async def __call__(self, command: SubmitOrder, intent_stored: Callable[[], None]) -> Outcome:
        if self.under_way >= self._limit:
            raise ApiError("server-overloaded", retry_after_seconds=1)
        self.under_way += 1
        try:
            return await self._handler(command, intent_stored)
        finally:
            self.under_way -= 1

"""A Directory that remembers what it has just read.

Why this is right: the reads of a request are not part of the commit that follows, so each may always have been a moment
older than the commit. What is remembered is dropped with the next import (at once on SQLite, after a notification on
PostgreSQL), and after its age in any case. What must never be stale (one use of a promotion, double payments) is
decided on the event streams, not on the directory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any, Protocol, TypeVar

from application.adapters.directory.generation import Generation
from application.adapters.directory.request_reads import Catalog, Customer, order_inputs
from application.ports import ApplicationRecord, OrderInputs, PromotionRecord, RouteRecord, SessionRecord

T = TypeVar("T")

MAX_AGE_S = 0.25  # of what every request needs. Short: a directory that cannot be read is noticed; long under load
PERSON_MAX_AGE_S = 5.0  # of a session, a client with card, a promotion: requests of a person or campaign come in a row
MAX_ENTRIES = 20_000
_NO_ANSWER = object()


class DirectoryReads(Protocol):
    """The parts that are remembered one by one."""

    async def route(self, method: str, path: str) -> RouteRecord | None: ...

    async def session(self, token_hash: str) -> SessionRecord | None: ...

    async def application_by_token(self, token_hash: str) -> ApplicationRecord | None: ...

    async def application(self, slug: str) -> ApplicationRecord | None: ...

    async def catalog(self) -> Catalog: ...

    async def customer(self, client_id: int, payment_method_id: int | None) -> Customer: ...

    async def promotion(self, code: str) -> PromotionRecord | None: ...

    async def touch_session(self, token_hash: str, at: datetime) -> None: ...


class CachedDirectory:
    """A Directory over such reads; concurrent reads of one thing share one query. Belongs to one event loop."""

    def __init__(
        self,
        reads: DirectoryReads,
        generation: Generation,
        *,
        max_age_s: float = MAX_AGE_S,
        person_max_age_s: float = PERSON_MAX_AGE_S,
    ) -> None:
        self._reads = reads
        self._generation = generation
        self._max_age_s = max_age_s
        self._person_max_age_s = person_max_age_s
        self._known: dict[Hashable, _Known] = {}

    async def route(self, method: str, path: str) -> RouteRecord | None:
        return await self._get(("route", method, path), self._max_age_s, self._reads.route, method, path)

    async def session(self, token_hash: str) -> SessionRecord | None:
        return await self._get(("session", token_hash), self._person_max_age_s, self._reads.session, token_hash)

    async def application_by_token(self, token_hash: str) -> ApplicationRecord | None:
        return await self._get(("token", token_hash), self._max_age_s, self._reads.application_by_token, token_hash)

    async def application(self, slug: str) -> ApplicationRecord | None:
        return await self._get(("application", slug), self._max_age_s, self._reads.application, slug)

    async def order_inputs(
        self, *, client_id: int, payment_method_id: int | None, slugs: Sequence[str], promotion_code: str | None
    ) -> OrderInputs:
        catalog = await self._get("catalog", self._max_age_s, self._reads.catalog)
        customer = self._customer(client_id, payment_method_id)
        if promotion_code is None:
            return order_inputs(catalog, slugs, await customer, None)
        if self._remembered(("promotion", promotion_code)) is None:  # then wait for both at once
            return order_inputs(catalog, slugs, *await asyncio.gather(customer, self._promotion(promotion_code)))
        return order_inputs(catalog, slugs, await customer, await self._promotion(promotion_code))

    async def touch_session(self, token_hash: str, at: datetime) -> None:
        try:
            await self._reads.touch_session(token_hash, at)
        finally:  # also what was read meanwhile
            self._known.pop(("session", token_hash), None)

    async def close(self) -> None:
        await self._generation.close()

    def _customer(self, client_id: int, payment_method_id: int | None) -> Coroutine[Any, Any, Customer]:
        key = ("customer", client_id, payment_method_id)
        return self._get(key, self._person_max_age_s, self._reads.customer, client_id, payment_method_id)

    def _promotion(self, code: str) -> Coroutine[Any, Any, PromotionRecord | None]:
        return self._get(("promotion", code), self._person_max_age_s, self._reads.promotion, code)

    def _remembered(self, key: Hashable) -> _Known | None:
        """What is known of it, or is on its way, if that may still be given."""
        known = self._known.get(key)
        if known is None or monotonic() >= known.until or known.generation != self._generation.current():
            return None
        return known

    async def _get(self, key: Hashable, max_age_s: float, read: Callable[..., Awaitable[T]], *asked: Any) -> T:
        while (known := self._remembered(key)) is not None:
            answer = known.answer
            found: T = answer.result() if answer.done() else await asyncio.shield(answer)
            if found is not _NO_ANSWER:
                return found
        generation = self._generation.current()  # before the read: an import during it makes the answer old
        if generation is None:
            return await read(*asked)
        if len(self._known) >= MAX_ENTRIES:
            self._known.clear()
        known = _Known(generation, monotonic() + max_age_s, asyncio.get_running_loop().create_future())
        self._known[key] = known
        try:
            found = await read(*asked)  # in the task of the request that asks first: its own would cost more
        except BaseException as error:
            # An error is told to those who wait for it, and to nobody after them; if only the first one was cancelled,
            # the others ask again.
            if self._known.get(key) is known:
                del self._known[key]
            if isinstance(error, Exception):
                known.answer.set_exception(error)
                known.answer.exception()  # it is told here too, so it was heard
            else:
                known.answer.set_result(_NO_ANSWER)
            raise
        known.answer.set_result(found)
        return found


@dataclass(frozen=True)
class _Known:
    """An answer, or one that is on its way, and how long it may be given."""

    generation: int
    until: float  # monotonic seconds
    answer: asyncio.Future[Any]

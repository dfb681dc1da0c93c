"""A Directory that remembers what it has just read.

Why this is right: the reads of a request are not part of the commit that follows, so each may always have been a moment
older than the commit. What is remembered is dropped with the next import (at once on SQLite, after a notification on
PostgreSQL), and after its age in any case. What must never be stale (one use of a promotion, double payments) is
decided on the event streams, not on the directory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Sequence
from datetime import datetime
from time import monotonic
from typing import Any, Protocol, TypeVar

import msgspec

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

    def route(self, method: str, path: str) -> Coroutine[Any, Any, RouteRecord | None]:
        return self._get(("route", method, path), self._max_age_s, self._reads.route, method, path)

    def session(self, token_hash: str) -> Coroutine[Any, Any, SessionRecord | None]:
        return self._get(("session", token_hash), self._person_max_age_s, self._reads.session, token_hash)

    def application_by_token(self, token_hash: str) -> Coroutine[Any, Any, ApplicationRecord | None]:
        return self._get(("token", token_hash), self._max_age_s, self._reads.application_by_token, token_hash)

    def application(self, slug: str) -> Coroutine[Any, Any, ApplicationRecord | None]:
        return self._get(("application", slug), self._max_age_s, self._reads.application, slug)

    async def order_inputs(
        self, *, client_id: int, payment_method_id: int | None, slugs: Sequence[str], promotion_code: str | None
    ) -> OrderInputs:
        customer_key, promotion_key = ("customer", client_id, payment_method_id), ("promotion", promotion_code)
        catalog, customer, promotion = self._at_hand("catalog", customer_key, promotion_key)
        if promotion_code is None:
            promotion = None
        if catalog is _NO_ANSWER:
            catalog = await self._get("catalog", self._max_age_s, self._reads.catalog)
        person = self._person_max_age_s
        if customer is _NO_ANSWER:
            read_customer = self._get(customer_key, person, self._reads.customer, client_id, payment_method_id)
            if promotion is _NO_ANSWER:  # then wait for both at once
                read_promotion = self._get(promotion_key, person, self._reads.promotion, promotion_code)
                customer, promotion = await asyncio.gather(read_customer, read_promotion)
            else:
                customer = await read_customer
        elif promotion is _NO_ANSWER:
            promotion = await self._get(promotion_key, person, self._reads.promotion, promotion_code)
        return order_inputs(catalog, slugs, customer, promotion)

    async def touch_session(self, token_hash: str, at: datetime) -> None:
        try:
            await self._reads.touch_session(token_hash, at)
        finally:  # also what was read meanwhile
            self._known.pop(("session", token_hash), None)

    async def close(self) -> None:
        await self._generation.close()

    def _at_hand(self, *keys: Hashable) -> list[Any]:
        """The answers that may be given without a wait; _NO_ANSWER in the place of each other one."""
        generation, now = self._generation.current(), monotonic()
        answers: list[Any] = []
        for key in keys:
            known = self._known.get(key)
            if known and now < known.until and known.generation == generation and known.answer.done():
                answers.append(known.answer.result())
            else:
                answers.append(_NO_ANSWER)
        return answers

    async def _get(self, key: Hashable, max_age_s: float, read: Callable[..., Awaitable[T]], *asked: Any) -> T:
        while known := self._known.get(key):
            if monotonic() >= known.until or known.generation != self._generation.current():
                break
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


class _Known(msgspec.Struct, frozen=True, eq=False):
    """An answer, or one that is on its way, and how long it may be given."""

    generation: int
    until: float  # monotonic seconds
    answer: asyncio.Future[Any]

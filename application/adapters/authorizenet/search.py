"""Lists of transactions and batches, page by page, and the search for an invoice number. Complete, or LookupFailed."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, Protocol

from application.adapters.authorizenet import lookups
from application.adapters.authorizenet.answers import Answer
from application.adapters.authorizenet.requests import PAGE_LIMIT, Requests
from application.ports import LookupFailed, SettledBatch, TransactionState, TransactionSummary

MAX_PAGES: Final = 50  # per list: 50,000 transactions; more than that needs another way of looking
MAX_RANGES: Final = 60  # of batches: five years
RANGE: Final = timedelta(days=31)  # the longest the gateway takes
CLOCK_SLACK: Final = timedelta(hours=1)  # between our clock and the gateway's

_UNSETTLED: Final = "getUnsettledTransactionListResponse"
_TRANSACTIONS: Final = "getTransactionListResponse"  # of a batch, and of a customer too
_BATCHES: Final = "getSettledBatchListResponse"

PageRequest = Callable[[int], bytes]


class Ask(Protocol):
    """Sends one lookup and returns its answer, which says Ok. Raises LookupFailed."""

    async def __call__(self, build: Callable[[], bytes], root: str) -> Answer: ...


class Search:
    """Everything that takes more than one request to look up."""

    def __init__(self, ask: Ask, requests: Requests, now: Callable[[], datetime]) -> None:
        self._ask = ask
        self._requests = requests
        self._now = now

    async def by_invoice(
        self, invoice_number: str, customer_profile_id: str | None, since: datetime
    ) -> list[TransactionSummary]:
        """The transactions with the invoice. Stops after the first page that holds more than a refund of it.

        The customer's newest page is the short way. Complete are the held, then the unsettled ones, then the batches:
        in that order, since what moves on while we look leaves one list and shows in the next.
        """
        found: dict[str, TransactionSummary] = {}

        def complete(page: list[TransactionSummary]) -> bool:
            found.update({row.transaction_id: row for row in page if row.invoice_number == invoice_number})
            return any(row.state is not TransactionState.REFUND for row in found.values())

        if customer_profile_id is not None and complete(await self._newest_of_customer(customer_profile_id)):
            return list(found.values())
        async with aclosing(self._unsettled_then_settled(since - CLOCK_SLACK)) as lists:
            async for request, root in lists:
                async with aclosing(self._pages(request, root)) as pages:
                    async for page in pages:
                        if complete(page):
                            return list(found.values())
        return list(found.values())

    async def unsettled(self) -> list[TransactionSummary]:
        held = await self._all(self._requests.pending_approval, _UNSETTLED)
        return _distinct(held + await self._all(self._requests.unsettled, _UNSETTLED))

    async def of_batch(self, batch_id: str) -> list[TransactionSummary]:
        return _distinct(await self._all(partial(self._requests.of_batch, batch_id), _TRANSACTIONS))

    async def settled_batches(self, first: datetime, last: datetime) -> list[SettledBatch]:
        """Batches settled in the range, oldest first. The gateway takes whole seconds; we round outwards."""
        first = first.astimezone(UTC).replace(microsecond=0)
        last = last.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        if last - first > MAX_RANGES * RANGE:
            raise LookupFailed("too-many-pages")
        found: dict[str, SettledBatch] = {}
        while first < last:
            until = min(first + RANGE, last)
            answer = await self._ask(partial(self._requests.batches, first, until), _BATCHES)
            found |= {batch.batch_id: batch for batch in map(lookups.batch, answer.all("batchList/batch"))}
            first = until
        return sorted(found.values(), key=lambda batch: batch.settled_at)

    async def _newest_of_customer(self, customer_profile_id: str) -> list[TransactionSummary]:
        try:
            answer = await self._ask(partial(self._requests.of_customer, customer_profile_id, 1), _TRANSACTIONS)
        except LookupFailed as failure:
            if failure.reason != "not-found":
                raise
            return []  # a customer that is gone has no list; its transactions still show in the others
        return _rows(answer)

    async def _unsettled_then_settled(self, since: datetime) -> AsyncGenerator[tuple[PageRequest, str], None]:
        yield self._requests.pending_approval, _UNSETTLED
        yield self._requests.unsettled, _UNSETTLED
        for batch in await self.settled_batches(since, self._now() + CLOCK_SLACK):
            yield partial(self._requests.of_batch, batch.batch_id), _TRANSACTIONS

    async def _all(self, request: PageRequest, root: str) -> list[TransactionSummary]:
        return [row async for page in self._pages(request, root) for row in page]

    async def _pages(self, request: PageRequest, root: str) -> AsyncGenerator[list[TransactionSummary], None]:
        """The pages of one list. A page that is not full is the last; it must not leave fewer rows than announced."""
        seen = 0
        for number in range(1, MAX_PAGES + 1):
            answer = await self._ask(partial(request, number), root)
            page = _rows(answer)
            seen += len(page)
            yield page
            if len(page) < PAGE_LIMIT:
                if seen < announced(answer):
                    raise LookupFailed("incomplete")
                return
        raise LookupFailed("too-many-pages")


def _rows(answer: Answer) -> list[TransactionSummary]:
    return [lookups.summary(row) for row in answer.all("transactions/transaction")]


def announced(answer: Answer) -> int:
    total = answer.text("totalNumInResultSet") or "0"
    if not re.fullmatch(r"[0-9]{1,9}", total):
        raise LookupFailed("nonsense")
    return int(total)


def _distinct(rows: list[TransactionSummary]) -> list[TransactionSummary]:
    """Each transaction once, as it was seen last: rows move between pages and lists while we read."""
    return list({row.transaction_id: row for row in rows}.values())

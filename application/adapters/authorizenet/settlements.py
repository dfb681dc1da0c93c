"""The port Settlements, spoken to Authorize.net: getSettledBatchList with its statistics, and getTransactionList.

Follows https://developer.authorize.net/api/reference/index.html#transaction-reporting. Of the answers only a hash is
kept: they hold names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import pyxb

from application.adapters.authorizenet import lookups
from application.adapters.authorizenet.answers import Answer, Element
from application.adapters.authorizenet.config import AuthorizeNetConfig
from application.adapters.authorizenet.requests import PAGE_LIMIT, Requests
from application.adapters.authorizenet.search import MAX_RANGES, RANGE, announced
from application.adapters.authorizenet.transport import Transport
from application.ports import LookupFailed
from application.ports.settlement import BatchContents, BatchHeader
from domain.settlement import SettledTransaction

MAX_PAGES: Final = 200  # of one batch
_BATCHES: Final = "getSettledBatchListResponse"
_TRANSACTIONS: Final = "getTransactionListResponse"
_KINDS: Final = {  # by transactionStatus; what is not here moved no money in this batch
    "settledSuccessfully": "charge",
    "chargebackReversal": "charge",  # the bank gives the money of a chargeback back; the status tells it from a sale
    "refundSettledSuccessfully": "refund",
    "chargeback": "chargeback",
    "returnedItem": "returned",
}


class AuthorizeNetSettlements:
    """One merchant account's settlements. Belongs to the event loop of its first call; close it there."""

    def __init__(self, config: AuthorizeNetConfig, *, page_size: int = PAGE_LIMIT) -> None:
        assert 1 <= page_size <= PAGE_LIMIT, "the gateway gives at most 1000 rows at once"
        self._config = config
        self._requests = Requests(config.login_id, config.transaction_key)
        self._transport = Transport(config)
        self._page_size = page_size

    async def close(self) -> None:
        await self._transport.close()

    async def batches(self, first: datetime, last: datetime) -> list[BatchHeader]:
        """The gateway takes whole seconds, ends included: a batch on a seam between two ranges comes twice."""
        first, last = (moment.astimezone(UTC).replace(microsecond=0) for moment in (first, last))
        last += timedelta(seconds=1)
        if last - first > MAX_RANGES * RANGE:
            raise LookupFailed("range-too-long")
        found: dict[str, BatchHeader] = {}
        while first < last:
            until = min(first + RANGE, last)
            answer, body = await self._ask(partial(self._requests.batches, first, until, statistics=True), _BATCHES)
            headers = (_header(row, body) for row in answer.all("batchList/batch"))
            found |= {header.batch_id: header for header in headers}
            first = until
        return sorted(found.values(), key=lambda header: (header.settled_at, header.batch_id))

    async def contents(self, batch: BatchHeader) -> BatchContents:
        raw = hashlib.sha256()
        _add(raw, batch.answer)
        rows: list[SettledTransaction] = []  # a transaction that is in the batch twice must show twice
        seen = 0
        for page in range(1, MAX_PAGES + 1):
            request = partial(self._requests.of_batch_by_id, batch.batch_id, page, self._page_size)
            answer, body = await self._ask(request, _TRANSACTIONS)
            _add(raw, body)
            listed = answer.all("transactions/transaction")
            seen += len(listed)
            rows += [row for row in map(_transaction, listed) if row is not None]
            if len(listed) < self._page_size:
                if seen != (announced(answer) or seen):
                    raise LookupFailed("incomplete")
                return BatchContents(rows, raw.hexdigest())
        raise LookupFailed("too-many-pages")

    async def _ask(self, build: Callable[[], bytes], root: str) -> tuple[Answer, bytes]:
        try:
            request = build()
        except (ValueError, pyxb.PyXBException) as error:
            raise LookupFailed("invalid-request") from error
        body = await self._transport.post(request, self._config.lookup_timeout_s)
        if isinstance(body, bytes):
            return lookups.successful(body, root), body
        raise LookupFailed("busy" if body.reason == "http-5xx" else body.reason)


def _add(raw: hashlib._Hash, answer: bytes) -> None:
    raw.update(len(answer).to_bytes(8))
    raw.update(answer)


def _header(row: Element, answer: bytes) -> BatchHeader:
    """A batch with its sums; the statistics come per kind of card."""
    batch = lookups.batch(row)
    statistics = row.all("statistics/statistic")
    return BatchHeader(
        batch.batch_id,
        batch.settled_at,
        batch.state,
        charged_cents=sum(lookups.cents(each.text("chargeAmount") or "0") for each in statistics),
        refunded_cents=sum(lookups.cents(each.text("refundAmount") or "0") for each in statistics),
        answer=answer,
    )


def _transaction(row: Element) -> SettledTransaction | None:
    """One row of a batch; None where it moved no money."""
    found = lookups.summary(row)
    kind = _KINDS.get(found.status)
    if kind is None:
        return None
    return SettledTransaction(
        transaction_id=found.transaction_id,
        invoice_number=found.invoice_number,
        kind=kind,
        status=found.status,
        amount_cents=abs(found.amount_cents),
        submitted_at=found.submitted_at,
    )

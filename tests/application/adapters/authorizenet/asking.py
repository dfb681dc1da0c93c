"""Asking the adapter about transactions, of a gateway that answers what a test scripts."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from application.adapters.authorizenet import AuthorizeNetGateway
from application.ports import LookupFailed, TransactionSummary
from tests.application.adapters.authorizenet.wire import INVOICE, Script, gateway_at, run, serving

T = TypeVar("T")
Question = Callable[[AuthorizeNetGateway], Awaitable[T]]

UNSETTLED = "getUnsettledTransactionListResponse"
BATCHES = "getSettledBatchListResponse"
TRANSACTIONS = "getTransactionListResponse"  # of a batch, and of a customer too
DETAILS = "getTransactionDetailsResponse"
SINCE = datetime.now(UTC) - timedelta(days=2)


def asked(question: Question[T], *bodies: str) -> tuple[T, list[str]]:
    """The adapter's answer, and the requests it took: the root's name with the page, where there are pages."""
    script = Script(*bodies)

    async def scenario() -> T:
        async with serving(script) as url, gateway_at(url) as gateway:
            return await question(gateway)

    return run(scenario()), [shorthand(request) for request in script.requests]


def shorthand(request: str) -> str:
    root = re.search(r"<(get|auth)(\w+)Request", request)
    page = re.search(r"<offset>(\d+)<", request)
    pending = " pending" if "pendingApproval" in request else ""
    return (root.group(1) + root.group(2) if root else "?") + pending + (f" {page.group(1)}" if page else "")


def failure(question: Question[T], *bodies: str) -> str:
    with pytest.raises(LookupFailed) as caught:
        asked(question, *bodies)
    return caught.value.reason


def search(gateway: AuthorizeNetGateway, customer: str | None = "900100") -> Awaitable[list[TransactionSummary]]:
    return gateway.find_by_invoice(INVOICE, customer_profile_id=customer, since=SINCE)

"""Settled batches are read complete, page by page, with a hash of what was said; or not at all."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from application.adapters.authorizenet.settlements import AuthorizeNetSettlements
from application.ports import LookupFailed
from application.ports.settlement import BatchContents, BatchHeader
from domain.settlement import SettledTransaction
from tests.application.adapters.authorizenet.asking import BATCHES, TRANSACTIONS
from tests.application.adapters.authorizenet.wire import Script, answer, config, row, rows, run, serving

T = TypeVar("T")
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
HEADER = BatchHeader("5", FIRST, "settledSuccessfully", 0, 0, b"the list")


def asked(question: Callable[[AuthorizeNetSettlements], Awaitable[T]], script: Script, page_size: int = 1000) -> T:
    async def scenario() -> T:
        async with serving(script) as url:
            settlements = AuthorizeNetSettlements(config(url), page_size=page_size)
            try:
                return await question(settlements)
            finally:
                await settlements.close()

    return run(scenario())


def contents(*bodies: str, page_size: int = 1000) -> tuple[BatchContents, list[str]]:
    script = Script(*bodies)
    return asked(lambda settlements: settlements.contents(HEADER), script, page_size), script.requests


def batch(number: int, settled: str, statistics: str = "") -> str:
    return (
        f"<batch><batchId>{number}</batchId><settlementTimeUTC>{settled}</settlementTimeUTC>"
        f"<settlementTimeLocal>{settled}</settlementTimeLocal><settlementState>settledSuccessfully</settlementState>"
        f"<statistics>{statistics}</statistics></batch>"
    )


def statistic(charged: str, refunded: str) -> str:
    return (
        f"<statistic><accountType>Visa</accountType><chargeAmount>{charged}</chargeAmount><chargeCount>1</chargeCount>"
        f"<refundAmount>{refunded}</refundAmount><refundCount>1</refundCount></statistic>"
    )


def test_a_batch_has_the_sums_of_all_kinds_of_cards() -> None:
    listed = batch(5, "2026-01-02T01:00:00Z", statistic("166.50", "0.00") + statistic("10.1", "3.00"))
    body = answer(BATCHES, f"<batchList>{listed}</batchList>")
    script = Script(body)
    found = asked(lambda settlements: settlements.batches(FIRST, FIRST + timedelta(days=3)), script)
    settled_at = datetime(2026, 1, 2, 1, tzinfo=UTC)
    assert found == [BatchHeader("5", settled_at, "settledSuccessfully", 17_660, 300, body.encode())]
    assert "<includeStatistics>true</includeStatistics>" in script.requests[0]


def test_a_long_range_is_asked_for_in_steps_of_31_days_and_a_batch_on_a_seam_comes_once() -> None:
    seam = batch(5, "2026-02-01T00:00:00Z")
    script = Script(
        answer(BATCHES, f"<batchList>{batch(6, '2026-01-09T01:00:00Z')}{seam}</batchList>"),
        answer(BATCHES, f"<batchList>{seam}</batchList>"),
        answer(BATCHES, message="I00004"),
    )
    found = asked(lambda settlements: settlements.batches(FIRST, FIRST + timedelta(days=70)), script)
    assert [header.batch_id for header in found] == ["6", "5"]
    asked_for = [re.findall(r"SettlementDate>([^<]+)<", request) for request in script.requests]
    spans = [datetime.fromisoformat(last) - datetime.fromisoformat(first) for first, last in asked_for]
    assert len(spans) == 3
    assert max(spans) == timedelta(days=31)
    assert [first for first, _ in asked_for[1:]] == [last for _, last in asked_for[:-1]]


def test_rows_become_transactions_by_what_moved_and_the_rest_is_left_out() -> None:
    moved = {
        "settledSuccessfully": "charge",
        "refundSettledSuccessfully": "refund",
        "chargeback": "chargeback",
        "returnedItem": "returned",
        "chargebackReversal": "charge",
    }
    listed = [*moved, "voided", "declined", "settlementError", "expired"]
    found, _ = contents(rows(TRANSACTIONS, *(row(n, "INV", status) for n, status in enumerate(listed, start=1))))
    assert [(each.kind, each.status) for each in found.transactions] == [(moved[s], s) for s in listed[:5]]
    assert found.transactions[0] == SettledTransaction(
        "1", "INV", "charge", "settledSuccessfully", 16_650, datetime(2026, 3, 1, 12, tzinfo=UTC)
    )


def test_pages_are_followed_to_the_end_and_the_hash_covers_every_answer_in_order() -> None:
    settled = [row(number, status="settledSuccessfully") for number in range(1, 6)]
    pages = [rows(TRANSACTIONS, *settled[n : n + 2], total=5) for n in (0, 2, 4)]
    found, requests = contents(*pages, page_size=2)
    assert [each.transaction_id for each in found.transactions] == ["1", "2", "3", "4", "5"]
    assert [re.findall(r"<limit>(\d+)</limit><offset>(\d+)<", request) for request in requests] == [
        [("2", "1")], [("2", "2")], [("2", "3")],
    ]  # fmt: skip
    raw = b"".join(len(body).to_bytes(8) + body for body in (b"the list", *(page.encode() for page in pages)))
    assert found.answers_sha256 == hashlib.sha256(raw).hexdigest()


def test_a_transaction_that_is_in_a_batch_twice_shows_twice() -> None:
    twice = row(1, status="settledSuccessfully")
    found, _ = contents(rows(TRANSACTIONS, twice, twice))
    assert len(found.transactions) == 2


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (rows(TRANSACTIONS, row(1), total=2), "incomplete"),
        (rows(TRANSACTIONS, row(1), row(2), total=1), "incomplete"),
        (rows(TRANSACTIONS, row(1, amount="many")), "nonsense"),
        (answer("ErrorResponse", message="E00104"), "busy"),
        (answer("ErrorResponse", message="E00007"), "keys-refused"),
        ("<html/>", "nonsense"),
    ],
)
def test_what_cannot_be_read_whole_is_no_answer(body: str, reason: str) -> None:
    with pytest.raises(LookupFailed) as caught:
        contents(body)
    assert caught.value.reason == reason


def test_a_list_without_an_end_fails_at_the_cap() -> None:
    with pytest.raises(LookupFailed, match="too-many-pages"):
        contents(rows(TRANSACTIONS, row(1), total=0), page_size=1)


def test_a_range_beyond_the_cap_is_refused_before_anything_is_asked() -> None:
    script = Script("")
    with pytest.raises(LookupFailed, match="range-too-long"):
        asked(lambda settlements: settlements.batches(FIRST - timedelta(days=4000), FIRST), script)
    assert script.requests == []


def test_an_answer_that_never_comes_is_a_time_out() -> None:
    async def scenario() -> None:
        async def silent(_: object) -> None:
            await asyncio.sleep(5)

        async with serving(silent) as url:  # type: ignore[arg-type]
            settlements = AuthorizeNetSettlements(config(url, lookup_timeout_s=0.1))
            with pytest.raises(LookupFailed, match="time-out"):
                await settlements.contents(HEADER)
            await settlements.close()

    run(scenario())

"""Lists are read to their end, an invoice is looked for everywhere, and what is incomplete is no answer."""

from __future__ import annotations

import re
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta

import pytest

from application.adapters.authorizenet import AuthorizeNetGateway
from application.ports import SettledBatch, TransactionState, TransactionSummary
from tests.application.adapters.authorizenet.asking import (
    BATCHES,
    SINCE,
    TRANSACTIONS,
    UNSETTLED,
    Question,
    asked,
    failure,
    search,
)
from tests.application.adapters.authorizenet.wire import INVOICE, Script, answer, gateway_at, row, rows, run, serving


def batch(number: int, settled: str = "2026-03-02T01:00:00Z") -> str:
    return (
        f"<batch><batchId>{number}</batchId><settlementTimeUTC>{settled}</settlementTimeUTC>"
        "<settlementState>settledSuccessfully</settlementState></batch>"
    )


def batches(*listed: str) -> str:
    return answer(BATCHES, f"<batchList>{''.join(listed)}</batchList>") if listed else answer(BATCHES)


def test_an_invoice_in_the_customers_list_takes_one_request() -> None:
    found, requests = asked(search, rows(TRANSACTIONS, row(8), row(7, INVOICE)))
    assert found == [
        TransactionSummary(
            "7",
            TransactionState.CAPTURED,
            "capturedPendingSettlement",
            INVOICE,
            16_650,
            datetime(2026, 3, 1, 12, tzinfo=UTC),
            "900100",
            "900200",
        )
    ]
    assert requests == ["getTransactionListForCustomer 1"]


def test_an_invoice_is_looked_for_everywhere_before_it_is_not_found() -> None:
    found, requests = asked(
        search,
        rows(TRANSACTIONS, row(1)),
        rows(UNSETTLED),
        rows(UNSETTLED, row(2)),
        batches(batch(5), batch(6)),
        rows(TRANSACTIONS, row(3)),
        rows(TRANSACTIONS, row(4, INVOICE[:-1])),
    )
    assert found == []
    assert requests == [
        "getTransactionListForCustomer 1",
        "getUnsettledTransactionList pending 1",
        "getUnsettledTransactionList 1",
        "getSettledBatchList",
        "getTransactionList 1",
        "getTransactionList 1",
    ]


def test_a_held_transaction_is_found_among_those_that_wait_for_approval() -> None:
    held = row(2, INVOICE, "FDSPendingReview")
    found, requests = asked(lambda gateway: search(gateway, None), rows(UNSETTLED, held))
    assert [summary.state for summary in found] == [TransactionState.HELD]
    assert requests == ["getUnsettledTransactionList pending 1"]


def test_a_refund_with_the_invoice_does_not_end_the_search_for_the_charge() -> None:
    refund = row(9, INVOICE, "refundPendingSettlement")
    found, _ = asked(search, rows(TRANSACTIONS, refund), rows(UNSETTLED, refund, row(2, INVOICE)))
    assert [summary.transaction_id for summary in found] == ["9", "2"]


def test_a_customer_that_is_gone_does_not_end_the_search() -> None:
    gone = answer("ErrorResponse", message="E00040")
    found, _ = asked(search, gone, rows(UNSETTLED, row(2, INVOICE)))
    assert [summary.transaction_id for summary in found] == ["2"]


def test_full_pages_are_followed_by_the_next() -> None:
    full = rows(UNSETTLED, *(row(number) for number in range(1, 1001)), total=1001)
    last = rows(UNSETTLED, row(1000), row(1001), total=1001)
    found, requests = asked(lambda gateway: gateway.unsettled(), rows(UNSETTLED), full, last)
    assert len(found) == 1001
    assert requests == [
        "getUnsettledTransactionList pending 1",
        "getUnsettledTransactionList 1",
        "getUnsettledTransactionList 2",
    ]


def test_a_list_without_an_end_fails_at_the_cap() -> None:
    full = rows(TRANSACTIONS, *(row(number) for number in range(1, 1001)))
    assert failure(lambda gateway: gateway.batch_transactions("5"), full) == "too-many-pages"


def test_a_list_that_ends_before_it_should_is_not_taken() -> None:
    assert failure(lambda gateway: gateway.unsettled(), rows(UNSETTLED, row(1), total=2)) == "incomplete"


@pytest.mark.parametrize(
    "broken",
    [
        row(1).replace("<transId>1</transId>", ""),
        row(1, amount="12.345"),
        row(1, amount="1e3"),
        row(1, amount=""),
        row(1).replace("2026-03-01T12:00:00Z", "yesterday"),
        row(1).replace("capturedPendingSettlement", "<b/>"),
    ],
)
def test_a_row_that_cannot_be_read_fails_the_list(broken: str) -> None:
    assert failure(lambda gateway: gateway.unsettled(), rows(UNSETTLED, row(2), broken)) == "nonsense"


# --- batches and keys -------------------------------------------------------------------------------------------------


def test_batches_are_asked_for_in_steps_of_31_days_and_come_oldest_first() -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC)
    later, earlier = batch(6, "2026-01-09T01:00:00Z"), batch(5, "2026-01-08T01:00:00")
    found, requests = asked(
        lambda gateway: gateway.settled_batches(first, first + timedelta(days=70)),
        batches(later, earlier),
        batches(later),
        batches(),
    )
    assert found == [
        SettledBatch("5", datetime(2026, 1, 8, 1, tzinfo=UTC), "settledSuccessfully"),
        SettledBatch("6", datetime(2026, 1, 9, 1, tzinfo=UTC), "settledSuccessfully"),
    ]
    assert requests == ["getSettledBatchList"] * 3


def test_the_search_for_an_invoice_covers_batches_settled_this_moment_by_another_clock() -> None:
    script = Script(rows(UNSETTLED), rows(UNSETTLED), batches())
    before = datetime.now(UTC)

    async def scenario() -> None:
        async with serving(script) as url, gateway_at(url) as gateway:
            await search(gateway, None)

    run(scenario())
    first, last = map(datetime.fromisoformat, re.findall(r"SettlementDate>([^<]+)<", script.requests[-1]))
    assert first <= SINCE - timedelta(hours=1)
    assert last >= before + timedelta(hours=1)


def test_a_range_of_batches_beyond_the_cap_fails() -> None:
    first = datetime(2016, 1, 1, tzinfo=UTC)
    question: Question[list[SettledBatch]] = lambda gateway: gateway.settled_batches(first, datetime.now(UTC))  # noqa: E731
    assert failure(question, batches()) == "too-many-pages"


def test_keys_are_accepted_or_refused_and_everything_else_is_no_answer() -> None:
    def check(gateway: AuthorizeNetGateway) -> Awaitable[bool]:
        return gateway.check_keys()

    assert asked(check, answer("authenticateTestResponse"))[0] is True
    assert asked(check, answer("ErrorResponse", message="E00007"))[0] is False
    assert failure(check, answer("ErrorResponse", message="E00104")) == "busy"

"""Settled batches with their statistics, and the faults of settlement that can be planted."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from authorizenet import apicontractsv1 as contracts
from authorizenet import apicontrollers as controllers
from lxml import etree

from tests.sandbox.authorizenet.client import CONFIG, KEYS, Client, Reply, transaction_id, with_sandbox

ROW = "transactions/transaction"
STATISTIC = "batchList/batch/statistics/statistic"


async def planted(client: Client, fault: str, **wish: Any) -> str:
    status, answer = await client.post("/_ledger/plant", {"fault": fault, **wish})
    assert status == 200, answer
    return str(answer["transId"])


async def settled(client: Client) -> str:
    return str((await client.post("/_ledger/settle"))[1]["batchId"])


async def batches(client: Client) -> Reply:
    return await client.ask("getSettledBatchListRequest", "<includeStatistics>true</includeStatistics>")


async def rows(client: Client, batch_id: str) -> list[tuple[str, str, str]]:
    """Id, status and amount of every row."""
    reply = await client.ask("getTransactionListRequest", f"<batchId>{batch_id}</batchId>")
    columns = (reply.all(f"{ROW}/{name}") for name in ("transId", "transactionStatus", "settleAmount"))
    return sorted(zip(*columns, strict=True))


def test_statistics_sum_a_batch_in_the_contracts_order_and_only_when_they_are_asked_for() -> None:
    async def scenario(client: Client) -> None:
        charges = [transaction_id(await client.charge(invoice=f"INV-{n}", amount="10.01")) for n in range(3)]
        await client.charge("declined", invoice="INV-9")
        await client.void(charges[2])
        batch_id = await settled(client)
        plain = await client.ask("getSettledBatchListRequest")
        assert plain.all(STATISTIC) == []
        summed = await batches(client)
        assert summed["batchList/batch/batchId"] == batch_id
        (shown,) = summed.root.iterfind("{*}batchList/{*}batch/{*}statistics/{*}statistic")
        names = [etree.QName(node).localname for node in shown]
        contract = [element.localName() for element in contracts.batchStatisticType._ElementMap]
        assert names == [name for name in contract if name in names]
        expected = {
            "chargeAmount": "20.02", "chargeCount": "2", "refundAmount": "0.00", "refundCount": "0", "voidCount": "1",
            "declineCount": "1", "errorCount": "0", "chargebackCount": "0", "returnedItemCount": "0",
        }  # fmt: skip
        assert {name: summed[f"{STATISTIC}/{name}"] for name in expected} == expected

    with_sandbox(scenario)


def test_every_fault_shows_in_the_batches() -> None:
    now = [datetime(2026, 10, 1, tzinfo=UTC)]

    async def scenario(client: Client) -> None:
        same, other, never, late = [
            transaction_id(await client.charge(invoice=f"INV-{n}", amount="10.00")) for n in range(4)
        ]
        await planted(client, "amount-differs", transId=other, amount_cents=999)
        await planted(client, "missing-there", transId=never)
        await planted(client, "late", transId=late, days=5)
        nobodys = await planted(client, "missing-here", amount_cents=1234)
        twice = await planted(client, "charged-twice", transId=same)
        assert await rows(client, await settled(client)) == [
            (same, "settledSuccessfully", "10.00"),
            (other, "settledSuccessfully", "9.99"),
            (nobodys, "settledSuccessfully", "12.34"),
            (twice, "settledSuccessfully", "10.00"),
        ]

        now[0] += timedelta(days=5)
        await planted(client, "duplicate", transId=same)
        disputed, returned, reversed_ = [
            await planted(client, fault, transId=same) for fault in ("chargeback", "returnedItem", "chargebackReversal")
        ]
        refund = await planted(client, "refund", transId=same, amount_cents=100)
        assert await rows(client, await settled(client)) == [
            (same, "settledSuccessfully", "10.00"),
            (late, "settledSuccessfully", "10.00"),
            (disputed, "chargeback", "10.00"),
            (returned, "returnedItem", "10.00"),
            (reversed_, "chargebackReversal", "10.00"),
            (refund, "refundSettledSuccessfully", "1.00"),
        ]
        assert (await batches(client))[f"{STATISTIC}/chargebackAmount"] == "10.00"

    with_sandbox(scenario, replace(CONFIG, clock=lambda: now[0]))


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"fault": "theft"},
        {"fault": "missing-there", "transId": "1"},
        {"fault": "missing-here"},
        {"fault": "missing-here", "amount_cents": True},
        {"fault": "missing-here", "amount_cents": 1, "invoiceNumber": "x" * 21},
        {"fault": "missing-here", "amount_cents": 1, "extra": 1},
        [],
    ],
)
def test_a_wish_that_makes_no_sense_is_refused_in_words(wish: object) -> None:
    async def scenario(client: Client) -> None:
        status, answer = await client.post("/_ledger/plant", wish)
        assert (status, bool(answer["error"])) == (400, True)

    with_sandbox(scenario)


def test_a_fault_comes_before_or_after_settlement_as_it_does_in_life() -> None:
    async def scenario(client: Client) -> None:
        charge = transaction_id(await client.charge())
        for fault in ("duplicate", "chargeback", "refund"):
            assert (await client.post("/_ledger/plant", {"fault": fault, "transId": charge}))[0] == 400
        await settled(client)
        for fault in ("missing-there", "late", "amount-differs"):
            wish = {"fault": fault, "transId": charge, "days": 1, "amount_cents": 1}
            assert (await client.post("/_ledger/plant", wish))[0] == 400

    with_sandbox(scenario)


def test_the_sdks_controllers_read_statistics_and_the_pages_of_a_batch() -> None:
    def execute(url: str, controller: type, request: Any) -> Any:
        request.merchantAuthentication = contracts.merchantAuthenticationType(**KEYS)
        run = controller(request)
        run.setenvironment(url)
        run.execute()
        return run.getresponse()

    async def scenario(client: Client) -> None:
        ids = [transaction_id(await client.charge(invoice=f"INV-{n}")) for n in range(3)]
        batch_id = await settled(client)
        refund = await planted(client, "refund", transId=ids[0])
        other = await settled(client)
        listed = await asyncio.to_thread(
            execute,
            client.api_url,
            controllers.getSettledBatchListController,
            contracts.getSettledBatchListRequest(includeStatistics=True),
        )
        first, second = listed.batchList.batch
        assert [str(first.batchId), str(second.batchId)] == [batch_id, other]
        assert float(first.statistics.statistic[0].chargeAmount) == 3 * 166.5
        assert int(second.statistics.statistic[0].refundCount) == 1
        pages = []
        for number in (1, 2):
            request = contracts.getTransactionListRequest(
                batchId=batch_id,
                sorting=contracts.TransactionListSorting(orderBy="id", orderDescending=False),
                paging=contracts.Paging(limit=2, offset=number),
            )
            page = await asyncio.to_thread(execute, client.api_url, controllers.getTransactionListController, request)
            assert page.totalNumInResultSet == 3
            pages.append([str(row.transId) for row in page.transactions.transaction])
        assert pages == [ids[:2], ids[2:]]
        assert refund not in pages[0] + pages[1]

    with_sandbox(scenario)

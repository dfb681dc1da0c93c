"""The lists and details that recovery and reconciliation live on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from lxml import etree

from tests.sandbox.authorizenet.client import CONFIG, CUSTOMER_PROFILE_ID, Client, Reply, transaction_id, with_sandbox

ROW = "transactions/transaction"


def _page(limit: int, offset: int, *, order_by: str = "id", descending: bool = False) -> str:
    return (
        f"<sorting><orderBy>{order_by}</orderBy><orderDescending>{str(descending).lower()}</orderDescending></sorting>"
        f"<paging><limit>{limit}</limit><offset>{offset}</offset></paging>"
    )


async def _unsettled(client: Client, content: str = "") -> Reply:
    return await client.ask("getUnsettledTransactionListRequest", content)


def test_details_carry_everything_that_identifies_a_charge_in_the_contracts_order() -> None:
    async def scenario(client: Client) -> None:
        charge = await client.charge(ref_id="ref-9", amount="0.30")
        details = await client.details(transaction_id(charge))
        assert (details.name, details["transrefId"]) == ("getTransactionDetailsResponse", "ref-9")
        shown = details.root.find("{*}transaction")
        assert [etree.QName(node).localname for node in shown] == [
            *("transId", "submitTimeUTC", "submitTimeLocal", "transactionType", "transactionStatus", "responseCode"),
            *("responseReasonCode", "responseReasonDescription", "authCode", "AVSResponse", "order", "authAmount"),
            *("settleAmount", "taxExempt", "payment", "recurringBilling", "product", "marketType", "profile"),
        ]
        expected = {
            "transactionType": "authCaptureTransaction",
            "transactionStatus": "capturedPendingSettlement",
            "responseCode": "1",
            "authCode": charge["transactionResponse/authCode"],
            "order/invoiceNumber": "INV-1",
            "authAmount": "0.30",
            "settleAmount": "0.30",
            "payment/creditCard/cardNumber": "XXXX1111",
            "payment/creditCard/expirationDate": "XXXX",
            "profile/customerProfileId": CUSTOMER_PROFILE_ID,
        }
        assert {path: details[f"transaction/{path}"] for path in expected} == expected

    with_sandbox(scenario)


def test_details_of_an_unknown_transaction_are_e00040() -> None:
    async def scenario(client: Client) -> None:
        reply = await client.details("1")
        assert (reply.name, reply.code) == ("getTransactionDetailsResponse", "E00040")

    with_sandbox(scenario)


def test_details_of_a_held_charge_name_the_filter_and_a_settled_one_names_its_batch() -> None:
    async def scenario(client: Client) -> None:
        held = await client.details(transaction_id(await client.charge("held")))
        assert held["transaction/FDSFilterAction"] == "hold"
        assert held["transaction/FDSFilters/FDSFilter/action"] == "hold"
        charge = transaction_id(await client.charge())
        batch_id = (await client.post("/_ledger/settle"))[1]["batchId"]
        assert (await client.details(charge))["transaction/batch/batchId"] == batch_id

    with_sandbox(scenario)


def test_unsettled_lists_separate_held_from_not_held_and_lose_what_settled() -> None:
    async def scenario(client: Client) -> None:
        open_ids = [transaction_id(await client.charge(slug)) for slug in ("approved", "declined")]
        held = transaction_id(await client.charge("held"))
        for content in ("", "<status>any</status>"):
            reply = await _unsettled(client, content)
            assert sorted(reply.all(f"{ROW}/transId")) == sorted(open_ids)
            assert reply["totalNumInResultSet"] == "2"
        waiting = await _unsettled(client, "<status>pendingApproval</status>")
        assert waiting.all(f"{ROW}/transId") == [held]
        assert waiting[f"{ROW}/fraudInformation/fraudAction"] == "hold"
        await client.post("/_ledger/settle")
        nothing = await _unsettled(client)
        assert (nothing.code, nothing["totalNumInResultSet"]) == ("I00004", "0")
        assert nothing["messages/resultCode"] == "Ok"

    with_sandbox(scenario)


def test_a_row_has_the_invoice_and_the_profile_but_no_ref_id() -> None:
    async def scenario(client: Client) -> None:
        await client.charge(ref_id="ref-1")
        reply = await _unsettled(client)
        assert reply[f"{ROW}/invoiceNumber"] == "INV-1"
        assert reply[f"{ROW}/settleAmount"] == "166.50"
        assert reply[f"{ROW}/profile/customerPaymentProfileId"] == "800000001"
        assert b"ref-1" not in reply.body

    with_sandbox(scenario)


def test_pages_cover_everything_once_in_either_order() -> None:
    async def scenario(client: Client) -> None:
        ids = [transaction_id(await client.charge(invoice=str(n))) for n in range(5)]
        ask = f"<customerProfileId>{CUSTOMER_PROFILE_ID}</customerProfileId>"

        async def listed(**order: Any) -> list[list[str]]:
            return [
                (await client.ask("getTransactionListForCustomerRequest", ask + _page(2, n, **order))).all(
                    f"{ROW}/transId"
                )
                for n in (1, 2, 3, 4)
            ]

        assert await listed() == [ids[:2], ids[2:4], ids[4:], []]
        assert await listed(descending=True, order_by="submitTimeUTC") == [
            ids[:-3:-1],
            ids[2:0:-1],
            ids[:1],
            [],
        ]
        newest_first = await client.ask("getTransactionListForCustomerRequest", ask)
        assert newest_first.all(f"{ROW}/transId") == ids[::-1]

    with_sandbox(scenario)


def test_a_customers_list_holds_settled_and_held_ones_and_can_be_narrowed_to_one_payment_profile() -> None:
    async def scenario(client: Client) -> None:
        settled = transaction_id(await client.charge())
        await client.post("/_ledger/settle")
        held = transaction_id(await client.charge("held"))
        ask = f"<customerProfileId>{CUSTOMER_PROFILE_ID}</customerProfileId>"
        everything = await client.ask("getTransactionListForCustomerRequest", ask)
        assert everything.name == "getTransactionListResponse"
        assert everything.all(f"{ROW}/transId") == [held, settled]
        narrowed = f"{ask}<customerPaymentProfileId>800000001</customerPaymentProfileId>"
        assert (await client.ask("getTransactionListForCustomerRequest", narrowed)).all(f"{ROW}/transId") == [settled]
        other = "<customerProfileId>4</customerProfileId>"
        assert (await client.ask("getTransactionListForCustomerRequest", other)).code == "I00004"

    with_sandbox(scenario)


def test_batches_are_found_by_settlement_time_and_give_their_transactions() -> None:
    now = [datetime(2026, 1, 1, tzinfo=UTC)]

    async def scenario(client: Client) -> None:
        async def batches(first: str, last: str) -> Reply:
            dates = f"<firstSettlementDate>{first}</firstSettlementDate><lastSettlementDate>{last}</lastSettlementDate>"
            return await client.ask("getSettledBatchListRequest", dates)

        charge = transaction_id(await client.charge())
        batch_id = (await client.post("/_ledger/settle"))[1]["batchId"]
        now[0] += timedelta(days=2)
        assert (await client.ask("getSettledBatchListRequest")).code == "I00004"
        found = await batches("2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z")
        assert found.all("batchList/batch/batchId") == [batch_id]
        assert found["batchList/batch/settlementState"] == "settledSuccessfully"
        assert (await batches("2026-01-01T00:00:01", "2026-01-03T00:00:00")).code == "I00004"
        assert (await batches("2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z")).code == "E00013"
        rows = await client.ask("getTransactionListRequest", f"<batchId>{batch_id}</batchId>")
        assert rows.all(f"{ROW}/transId") == [charge]
        assert (await client.ask("getTransactionListRequest", "<batchId>1</batchId>")).code == "E00040"

    with_sandbox(scenario, replace(CONFIG, clock=lambda: now[0]))


def test_the_test_of_the_keys_and_the_merchants_details_answer() -> None:
    async def scenario(client: Client) -> None:
        assert (await client.ask("authenticateTestRequest")).name == "authenticateTestResponse"
        merchant = await client.ask("getMerchantDetailsRequest")
        assert merchant["currencies/currency"] == "USD"
        assert merchant["isTestMode"] == "false"

    with_sandbox(scenario)

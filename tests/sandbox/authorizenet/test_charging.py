"""Charges: the answer's shape, and the duplicate window."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from lxml import etree

from tests.sandbox.authorizenet.client import CONFIG, CUSTOMER_PROFILE_ID, Client, transaction_id, with_sandbox


def test_an_approved_charge_is_answered_in_the_gateways_order_and_shows_in_the_ledger() -> None:
    async def scenario(client: Client) -> None:
        reply = await client.charge(ref_id="ref-1", description="3 < 4 & 5")
        assert (reply.status, reply.name, reply.code, reply.outcome) == (
            200,
            "createTransactionResponse",
            "I00001",
            ("1", "1"),
        )
        assert reply.headers["X-Sandbox"] == "true"
        assert [etree.QName(node).localname for node in reply.root] == ["refId", "messages", "transactionResponse"]
        assert [etree.QName(node).localname for node in reply.root[2]] == [
            *("responseCode", "authCode", "avsResultCode", "cvvResultCode", "cavvResultCode", "transId", "refTransID"),
            *("transHash", "testRequest", "accountNumber", "accountType", "messages", "transHashSha2", "profile"),
            *("networkTransId", "SupplementalDataQualificationIndicator"),
        ]
        assert reply["transactionResponse/accountNumber"] == "XXXX1111"
        assert len(reply["transactionResponse/authCode"] or "") == 6
        [row] = await client.transactions()
        assert row["transId"] == reply["transactionResponse/transId"]
        assert (row["amount_cents"], row["status"], row["invoiceNumber"], row["refId"]) == (
            16650,
            "capturedPendingSettlement",
            "INV-1",
            "ref-1",
        )
        assert (row["customerProfileId"], row["customerPaymentProfileId"]) == (CUSTOMER_PROFILE_ID, "800000001")

    with_sandbox(scenario)


def test_some_authorization_codes_have_leading_zeros() -> None:
    async def scenario(client: Client) -> None:
        codes = [(await client.charge(invoice=str(n)))["transactionResponse/authCode"] or "" for n in range(60)]
        assert all(len(code) == 6 for code in codes)
        assert any(code.startswith("0") for code in codes)

    with_sandbox(scenario)


def test_the_same_seed_gives_the_same_ids_and_ids_grow() -> None:
    seen: list[list[str]] = []

    async def scenario(client: Client) -> None:
        seen.append([transaction_id(await client.charge(invoice=str(n))) for n in range(3)])

    with_sandbox(scenario)
    with_sandbox(scenario)
    assert seen[0] == seen[1] == sorted(seen[0])


@pytest.mark.parametrize(("amount", "cents"), [("166.5", 16650), ("166.50", 16650), ("0.29", 29), ("1", 100)])
def test_amounts_are_decimals_however_they_are_written(amount: str, cents: int) -> None:
    async def scenario(client: Client) -> None:
        await client.charge(amount=amount)
        assert [row["amount_cents"] for row in await client.transactions()] == [cents]

    with_sandbox(scenario)


@pytest.mark.parametrize("amount", ["0", "-1.00", "1.005", "99999999999999"])
def test_an_impossible_amount_is_3_5_and_charges_nothing(amount: str) -> None:
    async def scenario(client: Client) -> None:
        reply = await client.charge(amount=amount)
        assert (reply.code, reply.outcome, reply["transactionResponse/transId"]) == ("E00027", ("3", "5"), "0")
        assert await client.transactions() == []

    with_sandbox(scenario)


@pytest.mark.parametrize("profile", ["123", "800000000", "900000001"])
def test_an_unlisted_payment_profile_is_e00040_with_a_bare_transaction_response(profile: str) -> None:
    async def scenario(client: Client) -> None:
        reply = await client.charge(profile)
        assert (reply.name, reply.code, reply.outcome) == ("createTransactionResponse", "E00040", (None, None))
        assert await client.transactions() == []

    with_sandbox(scenario)


def test_a_repeat_within_an_explicit_window_is_3_11_and_names_the_original() -> None:
    async def scenario(client: Client) -> None:
        original = await client.charge(ref_id="one", description="first")
        repeat = await client.charge(ref_id="two", description="second")
        assert repeat.outcome == ("3", "11")
        for name in ("transId", "authCode", "avsResultCode"):
            assert repeat[f"transactionResponse/{name}"] == original[f"transactionResponse/{name}"]
        assert len(await client.transactions()) == 1

    with_sandbox(scenario)


def test_a_repeat_without_a_window_is_3_11_for_two_minutes_and_names_nothing() -> None:
    now = [datetime(2026, 1, 1, tzinfo=UTC)]

    async def scenario(client: Client) -> None:
        await client.charge(window=None)
        now[0] += timedelta(seconds=119)
        repeat = await client.charge(window=None)
        assert (repeat.outcome, repeat["transactionResponse/transId"]) == (("3", "11"), "0")
        assert repeat["transactionResponse/authCode"] == ""
        now[0] += timedelta(seconds=1)
        assert (await client.charge(window=None)).outcome == ("1", "1")

    with_sandbox(scenario, replace(CONFIG, clock=lambda: now[0]))


def test_a_declined_original_blocks_too_and_has_no_authorization_code() -> None:
    async def scenario(client: Client) -> None:
        declined = await client.charge("declined")
        repeat = await client.charge("declined")
        assert repeat.outcome == ("3", "11")
        assert repeat["transactionResponse/transId"] == transaction_id(declined)
        assert repeat["transactionResponse/authCode"] == ""

    with_sandbox(scenario)


def test_another_invoice_amount_card_person_or_window_is_no_duplicate_and_a_window_of_0_switches_it_off() -> None:
    async def scenario(client: Client) -> None:
        person = "<billTo><firstName>Ann</firstName></billTo>"
        assert (await client.charge()).outcome == ("1", "1")
        for other in (
            client.charge(invoice="INV-2"),
            client.charge(amount="166.51"),
            client.charge("slow"),
            client.charge(rest=person),
            client.charge(rest="<poNumber>7</poNumber>"),
            client.charge(rest="<customer><id>7</id></customer>"),
            client.charge(window="28799"),
            client.charge(window="0"),
            client.charge(window="0"),
        ):
            assert (await other).outcome == ("1", "1")
        assert (await client.charge(rest=person)).outcome == ("3", "11")

    with_sandbox(scenario)


def test_an_impossible_window_is_refused() -> None:
    async def scenario(client: Client) -> None:
        assert (await client.charge(window="28801")).code == "E00013"

    with_sandbox(scenario)


def test_test_mode_looks_like_an_approval_without_an_id_and_charges_nothing() -> None:
    async def scenario(client: Client) -> None:
        reply = await client.charge("test-mode")
        assert reply.outcome == ("1", "1")
        shown = [reply[f"transactionResponse/{name}"] for name in ("transId", "testRequest", "authCode")]
        assert shown == ["0", "1", "000000"]
        assert await client.transactions() == []

    with_sandbox(scenario)


def test_a_partial_approval_says_what_was_approved_and_can_be_voided() -> None:
    async def scenario(client: Client) -> None:
        reply = await client.charge("partial")
        assert reply.outcome == ("4", "295")
        assert reply["transactionResponse/prePaidCard/approvedAmount"] == "1.23"
        assert reply["transactionResponse/prePaidCard/requestedAmount"] == "166.50"
        details = await client.details(transaction_id(reply))
        assert [details[f"transaction/{name}"] for name in ("requestedAmount", "authAmount")] == ["166.50", "1.23"]
        assert (await client.void(transaction_id(reply))).outcome == ("1", "1")

    with_sandbox(scenario)


def test_a_charge_without_a_stored_profile_is_refused() -> None:
    async def scenario(client: Client) -> None:
        kind = "<transactionType>authCaptureTransaction</transactionType><amount>1.00</amount>"
        card = "<payment><creditCard><cardNumber>1111</cardNumber><expirationDate>2031-01</expirationDate></creditCard>"
        for content, code in ((kind, "E00027"), (f"{kind}{card}</payment>", "E00013")):
            reply = await client.ask("createTransactionRequest", f"<transactionRequest>{content}</transactionRequest>")
            assert reply.code == code

    with_sandbox(scenario)

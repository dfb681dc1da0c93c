"""Faults, delays, counters, limits and the page."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest
from aiohttp import ServerDisconnectedError

from api.sandbox.authorizenet.profiles import PROFILES
from tests.sandbox.authorizenet.client import CONFIG, Client, charge_body, request_body, transaction_id, with_sandbox


def test_a_fault_overrides_the_next_charges_and_then_is_gone() -> None:
    async def scenario(client: Client) -> None:
        assert (await client.post("/_faults", {"outcome": "declined", "times": 2}))[0] == 200
        outcomes = [(await client.charge(invoice=str(n))).outcome for n in range(3)]
        assert outcomes == [("2", "2"), ("2", "2"), ("1", "1")]

    with_sandbox(scenario)


def test_a_fault_breaks_the_operation_it_names_and_no_other() -> None:
    async def scenario(client: Client) -> None:
        charge = transaction_id(await client.charge())
        await client.post("/_faults", {"operation": "getTransactionDetailsRequest", "outcome": "http-500", "times": 1})
        details = request_body("getTransactionDetailsRequest", f"<transId>{charge}</transId>")
        assert (await client.raw(details))[0] == 500
        assert (await client.raw(details))[0] == 200
        await client.post("/_faults", {"operation": "voidTransaction", "outcome": "charged-then-dropped"})
        assert (await client.charge(invoice="INV-2")).outcome == ("1", "1")
        with pytest.raises(ServerDisconnectedError):
            await client.void(charge)
        assert (await client.details(charge))["transaction/transactionStatus"] == "voided"

    with_sandbox(scenario)


def test_a_fault_may_say_whether_the_request_is_carried_out() -> None:
    async def scenario(client: Client) -> None:
        for performed in (True, False):
            await client.post("/_faults", {"outcome": "http-500", "performed": performed})
            assert (await client.raw(charge_body(invoice=str(performed))))[0] == 500
        await client.post("/_faults", {"outcome": "gateway-unsure", "performed": True})
        assert (await client.charge(invoice="unsure")).code == "E00001"
        assert [row["invoiceNumber"] for row in await client.transactions()] == ["True", "unsure"]

    with_sandbox(scenario)


@pytest.mark.parametrize(
    "wish",
    [
        {},
        [],
        {"outcome": "no-such"},
        {"operation": "no-such", "outcome": "approved"},
        {"operation": "getTransactionDetailsRequest", "outcome": "declined"},
        {"outcome": "declined", "times": 0},
        {"outcome": "declined", "performed": 1},
        {"delay_ms": -1},
        {"surprise": 1},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_with_the_reason(wish: object) -> None:
    async def scenario(client: Client) -> None:
        status, answer = await client.post("/_faults", wish)
        assert status == 400
        assert answer["error"]
        assert (await client.charge()).outcome == ("1", "1")

    with_sandbox(scenario)


def test_two_hundred_delayed_charges_wait_side_by_side() -> None:
    async def scenario(client: Client) -> None:
        await client.post("/_faults", {"delay_ms": 150})
        started = time.monotonic()
        replies = await asyncio.gather(*(client.charge(invoice=str(n)) for n in range(200)))
        elapsed_s = time.monotonic() - started
        assert {reply.outcome for reply in replies} == {("1", "1")}
        assert len({transaction_id(reply) for reply in replies}) == 200
        # The test's client opens at most 100 connections, so two rounds of 150 ms; one after another would take 30 s.
        assert 0.3 <= elapsed_s < 5

    with_sandbox(scenario)


def test_of_many_equal_charges_at_once_exactly_one_is_made() -> None:
    async def scenario(client: Client) -> None:
        replies = await asyncio.gather(*(client.charge() for _ in range(30)))
        assert sorted(reply.outcome for reply in replies)[:2] == [("1", "1"), ("3", "11")]
        assert len(await client.transactions()) == 1

    with_sandbox(scenario)


def test_the_ledger_counts_calls_by_operation_and_a_reset_forgets_everything() -> None:
    async def scenario(client: Client) -> None:
        charge = transaction_id(await client.charge())
        await client.details(charge)
        await client.void(charge)
        await client.void(charge)
        await client.post("/_faults", {"outcome": "declined"})
        assert (await client.ledger())["calls"] == {
            "authCaptureTransaction": 1,
            "getTransactionDetailsRequest": 1,
            "voidTransaction": 2,
        }
        await client.post("/_ledger/reset")
        ledger = await client.ledger()
        assert (ledger["transactions"], ledger["batches"], ledger["calls"]) == ([], [], {})
        assert (await client.charge()).outcome == ("1", "1")

    with_sandbox(scenario)


def test_a_full_ledger_takes_no_more_charges() -> None:
    async def scenario(client: Client) -> None:
        await client.charge(invoice="1")
        assert (await client.charge(invoice="2")).code == "E00104"

    with_sandbox(scenario, replace(CONFIG, max_transactions=1))


def test_an_unknown_transaction_type_is_refused() -> None:
    async def scenario(client: Client) -> None:
        content = "<transactionRequest><transactionType>captureOnlyTransaction</transactionType></transactionRequest>"
        assert (await client.ask("createTransactionRequest", content)).code == "E00013"
        assert (await client.ledger())["calls"] == {"createTransactionRequest": 1}

    with_sandbox(scenario)


def test_the_page_says_that_it_is_a_sandbox_and_lists_every_profile() -> None:
    async def scenario(client: Client) -> None:
        async with client.session.get(client.url + "/") as response:
            text = await response.text()
            assert response.headers["X-Sandbox"] == "true"
        assert "SANDBOX" in text
        for profile_id, outcome in PROFILES.items():
            assert profile_id in text
            assert outcome.slug in text
        async with client.session.get(client.url + "/nowhere") as missing:
            assert (missing.status, missing.headers["X-Sandbox"]) == (404, "true")

    with_sandbox(scenario)

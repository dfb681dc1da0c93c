"""The port as a whole: what goes out, what comes back, and what never shows."""

from __future__ import annotations

import logging

import pytest

from application.adapters.authorizenet import AuthorizeNetGateway
from application.ports import (
    Accepted,
    Approved,
    ChargeRequest,
    Declined,
    NotSent,
    OutcomeUnknown,
    PaymentGateway,
    Rejected,
)
from tests.application.adapters.authorizenet.wire import (
    APPROVED,
    CHARGE,
    INVOICE,
    KEY,
    LOGIN,
    Script,
    config,
    errors,
    gateway_at,
    messages,
    run,
    serving,
    transaction,
)

VOIDED = transaction("<responseCode>1</responseCode><transId>77</transId>" + messages(1))


def test_the_adapter_is_a_payment_gateway() -> None:
    gateway: PaymentGateway = AuthorizeNetGateway(config("http://127.0.0.1:9/"))
    assert gateway is not None


def test_a_charge_is_one_request_and_its_answer() -> None:
    script = Script(APPROVED)

    async def scenario() -> None:
        async with serving(script) as url, gateway_at(url) as gateway:
            outcome = await gateway.charge(CHARGE)
            assert isinstance(outcome, Approved)
            assert outcome.authorization_code == "000123"

    run(scenario())
    (request,) = script.requests
    assert request.startswith('<?xml version="1.0" encoding="utf-8"?><createTransactionRequest')
    assert f"<name>{LOGIN}</name>" in request
    assert f"<refId>{INVOICE}</refId>" in request


def test_a_charge_that_cannot_be_built_is_not_sent() -> None:
    script = Script(APPROVED)

    async def scenario() -> None:
        async with serving(script) as url, gateway_at(url) as gateway:
            assert await gateway.charge(ChargeRequest(INVOICE, 0, "1", "2", "x")) == NotSent("invalid-request")
            assert await gateway.void("none") == NotSent("invalid-request")
            assert await gateway.refund("77", 100, "1", INVOICE) == NotSent("invalid-request")

    run(scenario())
    assert script.requests == []


def test_corrections_say_what_they_are() -> None:
    script = Script(
        VOIDED,
        transaction("<responseCode>1</responseCode><transId>88</transId>" + messages(1)),
        transaction(
            "<responseCode>2</responseCode><transId>77</transId>" + errors(254), root="updateHeldTransactionResponse"
        ),
        transaction("<responseCode>3</responseCode><transId>0</transId>" + errors(54)),
    )

    async def scenario() -> None:
        async with serving(script) as url, gateway_at(url) as gateway:
            assert isinstance(await gateway.void("77"), Accepted)
            refund = await gateway.refund("77", 16_650, "1111", INVOICE)
            assert isinstance(refund, Accepted)
            assert refund.transaction_id == "88"
            assert isinstance(await gateway.decline_held("77"), Accepted)
            assert isinstance(await gateway.refund("77", 16_650, "1111", INVOICE), Rejected)

    run(scenario())
    void, refund, decline, _ = script.requests
    assert "<transactionType>voidTransaction</transactionType><refTransId>77</refTransId>" in void
    assert "<transactionType>refundTransaction</transactionType><amount>166.5</amount>" in refund
    assert "<action>decline</action><refTransId>77</refTransId>" in decline


def test_a_correction_whose_answer_is_lost_is_unknown() -> None:
    async def scenario() -> None:
        async with serving(Script("<html/>")) as url, gateway_at(url) as gateway:
            for outcome in (
                await gateway.void("77"),
                await gateway.refund("77", 1, "1111", INVOICE),
                await gateway.decline_held("77"),
            ):
                assert outcome == OutcomeUnknown("nonsense")

    run(scenario())


def test_neither_keys_nor_the_gateways_texts_show_in_logs_or_names(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    echo = transaction(
        "<responseCode>2</responseCode><transId>77</transId>"
        "<errors><error><errorCode>2</errorCode><errorText>4111111111111111</errorText></error></errors>"
    )

    async def scenario() -> None:
        async with serving(Script(echo, "")) as url, gateway_at(url) as gateway:
            declined, unknown = await gateway.charge(CHARGE), await gateway.charge(CHARGE)
            assert isinstance(declined, Declined)
            assert isinstance(unknown, OutcomeUnknown)
            shown = repr((declined, unknown, gateway, config(url))) + caplog.text
            assert "nonsense" in caplog.text
            for secret in (KEY, LOGIN, "4111111111111111"):
                assert secret not in shown

    run(scenario())

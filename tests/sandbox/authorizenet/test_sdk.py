"""The vendor's SDK, unmodified, against the sandbox: its controllers build, send and read everything themselves."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from authorizenet import apicontractsv1 as contracts
from authorizenet import apicontrollers as controllers

from api.sandbox.authorizenet.profiles import PROFILE_IDS
from tests.sandbox.authorizenet.client import CUSTOMER_PROFILE_ID, KEYS, Client, with_sandbox


def _execute(url: str, controller: type, request: Any) -> Any:
    request.merchantAuthentication = contracts.merchantAuthenticationType(**KEYS)
    run = controller(request)
    run.setenvironment(url)
    run.execute()
    assert run._response is not None, "the SDK's own contracts could not read the answer"
    return run.getresponse()


def _charge_request(slug: str = "approved") -> Any:
    profile = contracts.customerProfilePaymentType(customerProfileId=CUSTOMER_PROFILE_ID)
    profile.paymentProfile = contracts.paymentProfile(paymentProfileId=PROFILE_IDS[slug])
    settings = contracts.ArrayOfSetting()
    settings.setting.append(contracts.settingType(settingName="duplicateWindow", settingValue="28800"))
    transaction = contracts.transactionRequestType(
        transactionType="authCaptureTransaction",
        amount=Decimal("166.50"),
        profile=profile,
        order=contracts.orderType(invoiceNumber="SDK-1", description="An order"),
        transactionSettings=settings,
    )
    return contracts.createTransactionRequest(refId="ref-1", transactionRequest=transaction)


def _correction_request(kind: str, transaction_id: str) -> Any:
    transaction = contracts.transactionRequestType(transactionType=kind, refTransId=transaction_id)
    if kind == "refundTransaction":
        card = contracts.creditCardType(cardNumber="1111", expirationDate="XXXX")
        transaction.amount, transaction.payment = Decimal("66.50"), contracts.paymentType(creditCard=card)
    return contracts.createTransactionRequest(transactionRequest=transaction)


def test_the_sdks_controllers_charge_look_up_settle_refund_and_void() -> None:
    async def scenario(client: Client) -> None:
        async def execute(controller: type, request: Any) -> Any:
            return await asyncio.to_thread(_execute, client.api_url, controller, request)

        charged = await execute(controllers.createTransactionController, _charge_request())
        assert (charged.messages.resultCode, charged.refId) == ("Ok", "ref-1")
        assert charged.transactionResponse.responseCode == 1
        transaction_id = str(charged.transactionResponse.transId)

        details = await execute(
            controllers.getTransactionDetailsController, contracts.getTransactionDetailsRequest(transId=transaction_id)
        )
        assert details.transaction.order.invoiceNumber == "SDK-1"
        assert details.transaction.transactionStatus == "capturedPendingSettlement"
        assert details.transrefId == "ref-1"

        paging = contracts.Paging(limit=1000, offset=1)
        listed = await execute(
            controllers.getTransactionListForCustomerController,
            contracts.getTransactionListForCustomerRequest(customerProfileId=CUSTOMER_PROFILE_ID, paging=paging),
        )
        assert str(listed.transactions.transaction[0].transId) == transaction_id
        open_ones = await execute(
            controllers.getUnsettledTransactionListController, contracts.getUnsettledTransactionListRequest()
        )
        assert open_ones.totalNumInResultSet == 1

        await client.post("/_ledger/settle")
        batches = await execute(controllers.getSettledBatchListController, contracts.getSettledBatchListRequest())
        batch_id = str(batches.batchList.batch[0].batchId)
        settled = await execute(
            controllers.getTransactionListController, contracts.getTransactionListRequest(batchId=batch_id)
        )
        assert settled.transactions.transaction[0].transactionStatus == "settledSuccessfully"

        refund = _correction_request("refundTransaction", transaction_id)
        refunded = await execute(controllers.createTransactionController, refund)
        assert refunded.transactionResponse.responseCode == 1
        refund_id = str(refunded.transactionResponse.transId)
        voided = await execute(
            controllers.createTransactionController, _correction_request("voidTransaction", refund_id)
        )
        assert str(voided.transactionResponse.transId) == refund_id

    with_sandbox(scenario)


@pytest.mark.parametrize(
    ("slug", "expected"),
    [("declined", (2, 2)), ("card-expired", (3, 8)), ("held", (4, 252)), ("partial", (4, 295)), ("test-mode", (1, 1))],
)
def test_the_sdk_reads_every_kind_of_answer_to_a_charge(slug: str, expected: tuple[int, int]) -> None:
    async def scenario(client: Client) -> None:
        charge = _charge_request(slug)
        answer = await asyncio.to_thread(_execute, client.api_url, controllers.createTransactionController, charge)
        response = answer.transactionResponse
        errors = response.errors.error[0].errorCode if hasattr(response, "errors") else None
        reason = errors if errors is not None else response.messages.message[0].code
        assert (response.responseCode, reason) == expected

    with_sandbox(scenario)


def test_the_sdk_reads_errors_without_a_transaction_and_the_remaining_operations() -> None:
    async def scenario(client: Client) -> None:
        async def execute(controller: type, request: Any) -> Any:
            return await asyncio.to_thread(_execute, client.api_url, controller, request)

        unknown = await execute(controllers.createTransactionController, _charge_request("profile-not-found"))
        assert unknown.messages.message[0].code == "E00040"
        refused = await execute(controllers.createTransactionController, _charge_request("bad-keys"))
        assert refused.messages.message[0].code == "E00007"
        held = await execute(controllers.createTransactionController, _charge_request("held-authorized"))
        wish = contracts.heldTransactionRequestType(action="approve", refTransId=str(held.transactionResponse.transId))
        approved = await execute(
            controllers.updateHeldTransactionController,
            contracts.updateHeldTransactionRequest(heldTransactionRequest=wish),
        )
        assert approved.transactionResponse.responseCode == 1
        tested = await execute(controllers.authenticateTestController, contracts.authenticateTestRequest())
        assert tested.messages.resultCode == "Ok"
        merchant = await execute(controllers.getMerchantDetailsController, contracts.getMerchantDetailsRequest())
        assert merchant.gatewayId == 100001

    with_sandbox(scenario)

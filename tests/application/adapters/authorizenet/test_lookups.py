"""What the gateway says about transactions is taken whole, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from aiohttp import web

from application.adapters.authorizenet.lookups import state_of
from application.ports import LookupFailed, TransactionDetails, TransactionState
from tests.application.adapters.authorizenet.asking import DETAILS, asked, failure, search
from tests.application.adapters.authorizenet.wire import INVOICE, answer, gateway_at, run, serving


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (answer("ErrorResponse", message="E00053"), "busy"),
        (answer("ErrorResponse", message="E00104"), "busy"),
        (answer("ErrorResponse", message="E00007"), "keys-refused"),
        (answer("ErrorResponse", message="E00011"), "keys-refused"),
        (answer("ErrorResponse", message="E00001"), "gateway-error"),
        (answer("ErrorResponse", message="E77777"), "gateway-error"),
        (answer("createTransactionResponse"), "nonsense"),
        ("<html/>", "nonsense"),
        ("", "nonsense"),
    ],
)
def test_what_is_no_list_fails_the_lookup(body: str, reason: str) -> None:
    assert failure(lambda gateway: gateway.unsettled(), body) == reason
    assert failure(search, body) == reason


def test_a_server_error_means_busy() -> None:
    async def down(_: web.Request) -> web.Response:
        return web.Response(status=503)

    async def scenario() -> str:
        async with serving(down) as url, gateway_at(url) as gateway:
            with pytest.raises(LookupFailed) as caught:
                await search(gateway)
            return caught.value.reason

    assert run(scenario()) == "busy"


def test_an_id_that_is_none_is_never_asked_for() -> None:
    assert failure(lambda gateway: gateway.details("not a number"), answer(DETAILS)) == "invalid-request"


# --- details ----------------------------------------------------------------------------------------------------------

CHARGED = answer(
    DETAILS,
    "<transaction><transId>77</transId><submitTimeUTC>2026-03-01T12:00:00.1234567Z</submitTimeUTC>"
    "<transactionType>authCaptureTransaction</transactionType><transactionStatus>settledSuccessfully</transactionStatus>"
    "<responseCode>1</responseCode><responseReasonCode>1</responseReasonCode><authCode>000123</authCode>"
    f"<AVSResponse>Y</AVSResponse><order><invoiceNumber>{INVOICE}</invoiceNumber></order>"
    "<authAmount>200.00</authAmount><settleAmount>166.50</settleAmount>"
    "<payment><creditCard><cardNumber>XXXX1111</cardNumber><expirationDate>XXXX</expirationDate></creditCard></payment>"
    "<profile><customerProfileId>900100</customerProfileId><customerPaymentProfileId>900200</customerPaymentProfileId>"
    "</profile></transaction>",
)


def details(body: str) -> TransactionDetails | None:
    return asked(lambda gateway: gateway.details("77"), body)[0]


def test_details_are_exact_and_their_text_stays_text() -> None:
    found = details(CHARGED)
    assert found is not None
    assert (found.state, found.status) == (TransactionState.SETTLED, "settledSuccessfully")
    assert (found.invoice_number, found.amount_cents, found.last4) == (INVOICE, 16_650, "1111")
    assert (found.authorization_code, found.transaction_type) == ("000123", "authCaptureTransaction")
    assert found.submitted_at == datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
    assert (found.customer_profile_id, found.payment_profile_id) == ("900100", "900200")
    assert (found.codes.response_code, found.codes.reason_code, found.codes.avs_result) == ("1", "1", "Y")
    assert found.refunded_transaction_id is None


def test_without_a_settled_amount_the_authorised_one_counts() -> None:
    found = details(CHARGED.replace("<settleAmount>166.50</settleAmount>", ""))
    assert found is not None
    assert found.amount_cents == 20_000


def test_the_details_of_a_refund_name_what_it_refunds() -> None:
    found = details(CHARGED.replace("<transId>77</transId>", "<transId>77</transId><refTransId>55</refTransId>"))
    assert found is not None
    assert found.refunded_transaction_id == "55"


def test_a_transaction_that_the_gateway_does_not_know_has_no_details() -> None:
    assert details(answer("ErrorResponse", message="E00040")) is None
    assert details(answer(DETAILS, message="E00040")) is None


def test_the_details_of_another_transaction_are_not_taken() -> None:
    assert failure(lambda gateway: gateway.details("78"), CHARGED) == "mismatch"


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("authorizedPendingCapture", "authorized-only"),
        ("authorizedPendingRelease", "authorized-only"),
        ("capturedPendingSettlement", "captured"),
        ("settledSuccessfully", "settled"),
        ("FDSPendingReview", "held"),
        ("FDSAuthorizedPendingReview", "held"),
        ("underReview", "held"),
        ("declined", "declined"),
        ("voided", "voided"),
        ("expired", "expired"),
        ("generalError", "failed"),
        ("communicationError", "failed"),
        ("failedReview", "failed"),
        ("refundPendingSettlement", "refund"),
        ("refundSettledSuccessfully", "refund"),
        ("returnedItem", "returned"),
        ("chargeback", "returned"),
        ("chargebackReversal", "returned"),
        ("settlementError", "unsettled-error"),
        ("approvedReview", "unknown"),
        ("couldNotVoid", "unknown"),
        ("somethingNew", "unknown"),
    ],
)
def test_a_status_has_a_meaning(status: str, state: str) -> None:
    assert state_of(status) == TransactionState(state)

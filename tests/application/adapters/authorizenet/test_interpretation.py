"""What an answer to a charge means for the money."""

from __future__ import annotations

import pytest

from application.adapters.authorizenet.interpretation import charge_outcome
from application.ports import (
    Approved,
    ChargeOutcome,
    Declined,
    DuplicateAtGateway,
    GatewayCodes,
    GatewayFailed,
    HeldForReview,
    OutcomeUnknown,
    PartiallyApproved,
)
from tests.application.adapters.authorizenet.wire import APPROVED, INVOICE, answer, errors, messages, transaction

KEYS = "invalid-payment-processor-api-keys"
ERROR = "external-application-error"


def outcome(body: str | bytes) -> ChargeOutcome:
    return charge_outcome(body.encode() if isinstance(body, str) else body, INVOICE)


def answered(response_code: object, inside: str = "", transaction_id: object = 0, message: str = "I00001") -> str:
    fields = f"<responseCode>{response_code}</responseCode><transId>{transaction_id}</transId>"
    return transaction(fields + inside, message=message)


def refused(response_code: int, *codes: object, transaction_id: int = 0) -> ChargeOutcome:
    return outcome(answered(response_code, errors(*codes), transaction_id))


def test_response_code_1_with_a_transaction_is_a_charge_and_its_codes_stay_text() -> None:
    assert outcome(APPROVED) == Approved(
        "60012345678",
        "000123",
        GatewayCodes(response_code="1", reason_code="1", message_code="I00001", avs_result="Y", cvv_result="P"),
    )


def test_the_overall_result_code_does_not_decide() -> None:
    assert isinstance(outcome(answered(1, messages(1), 77, message="E00027")), Approved)
    assert isinstance(outcome(answered(2, errors(2), 77, message="I00001")), Declined)


def test_an_approval_without_a_transaction_or_in_test_mode_is_no_charge() -> None:
    for body in (answered(1, messages(1), 0), answered(1, "<testRequest>1</testRequest>" + messages(1), 77)):
        found = outcome(body)
        assert isinstance(found, GatewayFailed)
        assert found.status == ERROR


@pytest.mark.parametrize(
    "body",
    [
        answered(1, messages(1) + errors(54), 77),
        answered(1, messages(1) + errors(54), 0),
        transaction("<responseCode>1</responseCode>" + messages(1)),
        answered(1, messages(1), "seventy"),
        answered(4, messages(252), 0),
    ],
)
def test_an_answer_that_contradicts_itself_is_an_unknown_outcome(body: str) -> None:
    found = outcome(body)
    assert isinstance(found, OutcomeUnknown)
    assert found.reason == "inconsistent"


def test_an_empty_errors_element_does_not_spoil_an_approval() -> None:
    assert isinstance(outcome(answered(1, messages(1) + "<errors/>", 77)), Approved)


@pytest.mark.parametrize("response_code", [2, 3])
@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (2, "declined-payment"),
        (27, "declined-payment"),
        (6, "card-number-invalid"),
        (37, "card-number-invalid"),
        (8, "card-expired"),
        (17, "failed-payment"),
        (317, "card-expired"),
    ],
)
def test_a_no_about_the_card_is_a_decline_with_its_status(response_code: int, reason: int, status: str) -> None:
    found = refused(response_code, reason, transaction_id=77)
    assert isinstance(found, Declined)
    assert (found.status, found.transaction_id, found.codes.reason_code) == (status, "77", str(reason))


@pytest.mark.parametrize("response_code", [2, 3])
@pytest.mark.parametrize(("reason", "status"), [(33, ERROR), (35, ERROR), (13, KEYS), (103, KEYS), (310, ERROR)])
def test_a_no_about_us_is_a_gateway_failure(response_code: int, reason: int, status: str) -> None:
    found = refused(response_code, reason)
    assert isinstance(found, GatewayFailed)
    assert found.status == status


@pytest.mark.parametrize("response_code", [2, 3])
@pytest.mark.parametrize("codes", [(19,), (20,), (120,), (181,), (33, 120), (2, 121)])
def test_the_gateways_doubt_is_an_unknown_outcome(response_code: int, codes: tuple[int, ...]) -> None:
    found = refused(response_code, *codes)
    assert isinstance(found, OutcomeUnknown)
    assert found.reason == "gateway-unsure"


def test_an_unlisted_code_is_a_decline_under_2_and_unknown_under_3() -> None:
    assert isinstance(refused(2, 4711), Declined)
    assert isinstance(outcome(answered(2)), Declined)
    assert isinstance(refused(3, 4711), OutcomeUnknown)
    assert isinstance(outcome(answered(3)), OutcomeUnknown)


@pytest.mark.parametrize("reason", [1, 252])
def test_a_refusal_whose_reason_is_no_refusal_is_unknown(reason: int) -> None:
    assert isinstance(refused(2, reason), OutcomeUnknown)
    assert isinstance(refused(3, reason), OutcomeUnknown)


@pytest.mark.parametrize("response_code", [2, 3])
@pytest.mark.parametrize("reason", [11, 318])
def test_a_duplicate_names_the_original_where_the_gateway_does(response_code: int, reason: int) -> None:
    with_original = refused(response_code, reason, transaction_id=77)
    assert isinstance(with_original, DuplicateAtGateway)
    assert with_original.transaction_id == "77"
    without = refused(response_code, reason)
    assert isinstance(without, DuplicateAtGateway)
    assert without.transaction_id is None


@pytest.mark.parametrize("reason", [252, 253, 193, 1])
def test_response_code_4_is_held(reason: int) -> None:
    found = outcome(answered(4, messages(reason), 77))
    assert isinstance(found, HeldForReview)
    assert found.transaction_id == "77"


@pytest.mark.parametrize("response_code", [1, 3, 4])
def test_a_partial_approval_with_a_transaction_must_be_voided(response_code: int) -> None:
    found = outcome(answered(response_code, messages(295), 77))
    assert isinstance(found, PartiallyApproved)
    assert found.transaction_id == "77"


def test_a_partial_approval_without_a_transaction_is_a_no() -> None:
    found = refused(3, 295)
    assert isinstance(found, Declined)
    assert found.status == "failed-payment"


@pytest.mark.parametrize(
    ("message", "text", "kind", "status"),
    [
        ("E00003", "The 'X:cardNumber' element is invalid", Declined, "card-number-invalid"),
        ("E00003", "The 'X:amount' element is invalid", GatewayFailed, ERROR),
        ("E00027", "", Declined, "failed-payment"),
        ("E00040", "", Declined, "failed-payment"),
        ("E00114", "", Declined, "failed-payment"),
        ("E00007", "", GatewayFailed, KEYS),
        ("E00005", "", GatewayFailed, KEYS),
        ("E00009", "", GatewayFailed, ERROR),
        ("E00039", "", GatewayFailed, ERROR),
    ],
)
def test_without_a_transaction_the_message_decides(message: str, text: str, kind: type, status: str) -> None:
    only_a_flag = transaction("<SupplementalDataQualificationIndicator>0</SupplementalDataQualificationIndicator>")
    bare = only_a_flag[only_a_flag.index("<transactionResponse>") : only_a_flag.index("</createTransactionResponse>")]
    for root, inside in (("ErrorResponse", ""), ("createTransactionResponse", bare)):
        found = outcome(answer(root, inside, message=message, text=text))
        assert isinstance(found, Declined | GatewayFailed)
        assert (type(found), found.status) == (kind, status)


@pytest.mark.parametrize("message", ["I00001", "E00001", "E00053", "E00104", "E00200", "E99999", "", "?"])
def test_without_a_transaction_and_a_definite_no_the_outcome_is_unknown(message: str) -> None:
    assert isinstance(outcome(answer("createTransactionResponse", message=message)), OutcomeUnknown)


@pytest.mark.parametrize("response_code", ["", "5", "0", "01", "one", "1 1"])
def test_a_response_code_that_does_not_exist_is_nonsense(response_code: str) -> None:
    found = outcome(answered(response_code, errors(2), 77, message="E00027"))
    assert isinstance(found, OutcomeUnknown)
    assert found.reason == "nonsense"


@pytest.mark.parametrize("body", [b"", b"<html><body>Sorry</body></html>", APPROVED.encode()[:-20], b"{}"])
def test_nonsense_is_an_unknown_outcome(body: bytes) -> None:
    assert outcome(body) == OutcomeUnknown("nonsense")


def test_an_answer_for_somebody_else_is_an_unknown_outcome() -> None:
    ours = APPROVED.replace("<messages>", f"<refId>{INVOICE}</refId><messages>", 1)
    assert isinstance(outcome(ours), Approved)
    theirs = ours.replace(INVOICE, "ZZZZZZZZZZZZZZZZZZZZ")
    found = outcome(theirs)
    assert isinstance(found, OutcomeUnknown)
    assert found.reason == "mismatch"

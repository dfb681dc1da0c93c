"""What an answer to a void, a refund or a decision on a held transaction means."""

from __future__ import annotations

import pytest

from application.adapters.authorizenet.interpretation import correction_outcome
from application.ports import Accepted, CorrectionOutcome, OutcomeUnknown, Rejected
from tests.application.adapters.authorizenet.wire import INVOICE, answer, errors, messages, transaction


def answered(response_code: object, inside: str = "", transaction_id: object = 0) -> str:
    return transaction(f"<responseCode>{response_code}</responseCode><transId>{transaction_id}</transId>{inside}")


def corrected(body: str, *, no_is_done: bool = False) -> CorrectionOutcome:
    return correction_outcome(body.encode(), "77", ref_id=INVOICE, no_is_done=no_is_done)


def test_an_accepted_correction_names_its_transaction() -> None:
    found = corrected(answered(1, messages(1), 88))
    assert isinstance(found, Accepted)
    assert found.transaction_id == "88"


def test_voiding_twice_is_accepted() -> None:
    for body in (answered(1, messages(310)), answered(3, errors(310)), answered(1, messages(310), 77)):
        found = corrected(body)
        assert isinstance(found, Accepted)
        assert found.transaction_id == "77"


@pytest.mark.parametrize(("response_code", "reason"), [(3, 16), (3, 54), (3, 55), (3, 33), (2, 2), (3, 13)])
def test_a_definite_no_to_a_correction_is_rejected(response_code: int, reason: int) -> None:
    assert isinstance(corrected(answered(response_code, errors(reason))), Rejected)


def test_a_correction_in_test_mode_is_rejected() -> None:
    assert isinstance(corrected(answered(1, messages(1) + "<testRequest>1</testRequest>")), Rejected)


@pytest.mark.parametrize(
    "body",
    [
        answered(3, errors(11)),
        answered(3, errors(120)),
        answered(3, errors(4711)),
        answered(3),
        answered(4, messages(253), 88),
        answered(1, messages(1) + errors(54), 88),
        answer("createTransactionResponse"),
        answer("ErrorResponse", message="E00053"),
        "<html/>",
    ],
)
def test_every_other_answer_to_a_correction_is_unknown(body: str) -> None:
    assert isinstance(corrected(body), OutcomeUnknown)


@pytest.mark.parametrize("message", ["E00007", "E00040", "E00003"])
def test_a_correction_that_is_refused_as_a_whole_is_rejected(message: str) -> None:
    assert isinstance(corrected(answer("ErrorResponse", message=message)), Rejected)


def test_declining_a_held_transaction_may_be_answered_by_its_decline() -> None:
    body = transaction(
        "<responseCode>2</responseCode><transId>77</transId>" + errors(254), root="updateHeldTransactionResponse"
    )
    assert isinstance(corrected(body, no_is_done=True), Accepted)
    assert isinstance(corrected(body), Rejected)

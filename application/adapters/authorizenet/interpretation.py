"""What an answer means for the money: the response code of the transaction decides, never the overall result code.

A decline comes with resultCode Ok, and resultCode Error can stand above a transaction that went through. Whatever does
not fit together is an unknown outcome, to be looked up; a definite no needs a code that is known to be one.
"""

from __future__ import annotations

from application.adapters.authorizenet import codes as known
from application.adapters.authorizenet.answers import Answer, Nonsense, as_code, parse
from application.ports import (
    Accepted,
    Approved,
    ChargeOutcome,
    CorrectionOutcome,
    Declined,
    DuplicateAtGateway,
    GatewayFailed,
    HeldForReview,
    OutcomeUnknown,
    PartiallyApproved,
    Rejected,
)

_CHARGE_ROOTS = frozenset({"createTransactionResponse", "ErrorResponse"})
_CORRECTION_ROOTS = _CHARGE_ROOTS | {"updateHeldTransactionResponse"}


def charge_outcome(body: bytes, invoice_number: str) -> ChargeOutcome:
    """How the charge with this invoice number, which is its refId too, ended."""
    answer = _read(body, _CHARGE_ROOTS, invoice_number)
    if isinstance(answer, OutcomeUnknown):
        return answer
    if (response_code := answer.transaction.get("responseCode")) is None:
        return _without_transaction(answer)
    if known.PARTIAL_APPROVAL in answer.reason_codes and (transaction_id := _transaction_id(answer)):
        return PartiallyApproved(transaction_id, answer.codes)
    match response_code:
        case "1":
            return _approved(answer)
        case "2" | "3":
            return _refused(answer, response_code)
        case "4" if transaction_id := _transaction_id(answer):
            return HeldForReview(transaction_id, answer.codes)
        case "4":
            return OutcomeUnknown("inconsistent", answer.codes)
        case _:
            return OutcomeUnknown("nonsense", answer.codes)


def correction_outcome(body: bytes, transaction_id: str, *, ref_id: str, no_is_done: bool = False) -> CorrectionOutcome:
    """How a void, a refund, or a decision on a held transaction ended; `transaction_id` names what it was about.

    `no_is_done`: response code 2 is what was asked for: the answer to declining a transaction may show it declined.
    """
    answer = _read(body, _CORRECTION_ROOTS, ref_id)
    if isinstance(answer, OutcomeUnknown):
        return answer
    accepted = Accepted(_transaction_id(answer) or transaction_id, answer.codes)
    if known.ALREADY_VOIDED in answer.reason_codes:
        return accepted
    match answer.transaction.get("responseCode"):
        case None:
            return _rejected(answer, answer.message_codes)
        case "1" if answer.has_errors:
            return OutcomeUnknown("inconsistent", answer.codes)
        case "1" if _is_test(answer):
            return Rejected(answer.codes)
        case "1":
            return accepted
        case "2" if no_is_done:
            return accepted
        case "2" | "3":
            return _rejected(answer, answer.reason_codes)
        case _:
            return OutcomeUnknown("gateway-unsure", answer.codes)


def _read(body: bytes, roots: frozenset[str], ref_id: str) -> Answer | OutcomeUnknown:
    try:
        answer = parse(body)
    except Nonsense:
        return OutcomeUnknown("nonsense")
    if answer.name not in roots:
        return OutcomeUnknown("nonsense")
    if answer.ref_id and answer.ref_id != ref_id:
        return OutcomeUnknown("mismatch", answer.codes)
    return answer


def _approved(answer: Answer) -> ChargeOutcome:
    """Response code 1: a charge only with a real transaction id. In the account's Test Mode there is none."""
    if answer.has_errors:
        return OutcomeUnknown("inconsistent", answer.codes)
    if _is_test(answer):
        return GatewayFailed(known.GATEWAY_ERROR, answer.codes)
    if not (transaction_id := _transaction_id(answer)):
        return OutcomeUnknown("inconsistent", answer.codes)
    return Approved(transaction_id, as_code(answer.transaction.get("authCode")) or "", answer.codes)


def _refused(answer: Answer, response_code: str) -> ChargeOutcome:
    """Response codes 2 (declined) and 3 (error): the reason code says which no it is, if it is one."""
    if not known.UNSURE.isdisjoint(answer.reason_codes):
        return OutcomeUnknown("gateway-unsure", answer.codes)
    status = known.STATUS.get(answer.codes.reason_code or "")
    if status is None and response_code == "2":
        status = "declined-payment"
    return _no(answer, status)


def _without_transaction(answer: Answer) -> ChargeOutcome:
    """No transaction was made of the request; the message codes say why. All of them must be a definite no."""
    if not known.UNSURE.isdisjoint(answer.message_codes):
        return OutcomeUnknown("gateway-unsure", answer.codes)
    code = answer.codes.message_code or ""
    if code == known.SCHEMA_ERROR and any("cardNumber" in text for text in answer.message_texts):
        return Declined("card-number-invalid", answer.codes)
    return _no(answer, known.STATUS.get(code))


def _no(answer: Answer, status: str | None) -> ChargeOutcome:
    if status in known.CARD_STATUSES:
        return Declined(status, answer.codes, _transaction_id(answer))
    if status == "duplicate-payment":
        return DuplicateAtGateway(answer.codes, _transaction_id(answer))
    if status in {known.GATEWAY_ERROR, known.KEYS_REFUSED}:
        return GatewayFailed(status, answer.codes)
    return OutcomeUnknown("gateway-unsure", answer.codes)  # not listed, or a code that does not go with a no


def _rejected(answer: Answer, codes: list[str]) -> CorrectionOutcome:
    """A no to a correction, if the first code is a known one; a duplicate may mean that it was done before."""
    status = known.STATUS.get(codes[0]) if codes else None
    definite = status in known.CARD_STATUSES | {known.GATEWAY_ERROR, known.KEYS_REFUSED}
    if definite and known.UNSURE.isdisjoint(codes):
        return Rejected(answer.codes)
    return OutcomeUnknown("duplicate" if status == "duplicate-payment" else "gateway-unsure", answer.codes)


def _transaction_id(answer: Answer) -> str | None:
    """The transaction id, or None for a missing one and for 0, which stands for none."""
    text = answer.transaction.get("transId", "")
    return text if text.isascii() and text.isdigit() and text.strip("0") else None


def _is_test(answer: Answer) -> bool:
    """Whether the answer says so (testRequest), or names transaction 0 as Test Mode does: no money moved."""
    text = answer.transaction.get("transId", "")
    return (text != "" and text.strip("0") == "") or answer.transaction.get("testRequest") == "1"

"""What the gateway says about transactions: its reporting answers as values of the ports.

Whatever cannot be read exactly raises LookupFailed: nothing may be concluded from half an answer.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from application.adapters.authorizenet import codes as known
from application.adapters.authorizenet.answers import Answer, Element, Nonsense, as_code, parse
from application.ports import (
    GatewayCodes,
    LookupFailed,
    SettledBatch,
    TransactionDetails,
    TransactionState,
    TransactionSummary,
)

_STATES: Final = {
    "authorizedPendingCapture": TransactionState.AUTHORIZED_ONLY,
    "authorizedPendingRelease": TransactionState.AUTHORIZED_ONLY,
    "capturedPendingSettlement": TransactionState.CAPTURED,
    "settledSuccessfully": TransactionState.SETTLED,
    "FDSPendingReview": TransactionState.HELD,
    "FDSAuthorizedPendingReview": TransactionState.HELD,
    "underReview": TransactionState.HELD,
    "declined": TransactionState.DECLINED,
    "voided": TransactionState.VOIDED,
    "expired": TransactionState.EXPIRED,
    "generalError": TransactionState.FAILED,
    "communicationError": TransactionState.FAILED,
    "failedReview": TransactionState.FAILED,
    "refundPendingSettlement": TransactionState.REFUND,
    "refundSettledSuccessfully": TransactionState.REFUND,
    "returnedItem": TransactionState.RETURNED,
    "chargeback": TransactionState.RETURNED,
    "chargebackReversal": TransactionState.RETURNED,
    "settlementError": TransactionState.UNSETTLED_ERROR,
    # On the way from one state to another, so nothing may be decided on them: approved after a review but not yet
    # captured; a void that failed, so the money is still captured or already settled; a settlement that is running.
    "approvedReview": TransactionState.UNKNOWN,
    "couldNotVoid": TransactionState.UNKNOWN,
    "pendingSettlement": TransactionState.UNKNOWN,
    "pendingFinalSettlement": TransactionState.UNKNOWN,
    "updatingSettlement": TransactionState.UNKNOWN,
}
_AMOUNT: Final = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,2}0*)?")
_LAST4: Final = re.compile(r"[0-9]{4}$")
_WORD: Final = re.compile(r"[A-Za-z]{1,50}")


def state_of(status: str) -> TransactionState:
    """The meaning of a transactionStatus."""
    return _STATES.get(status, TransactionState.UNKNOWN)


def successful(body: bytes, root: str) -> Answer:
    """The answer, if it says Ok. Raises LookupFailed: busy, keys-refused, not-found, gateway-error or nonsense."""
    try:
        answer = parse(body)
    except Nonsense as error:
        raise LookupFailed("nonsense") from error
    result = answer.text("messages/resultCode")
    if answer.name == root and result == "Ok":
        return answer
    if result != "Error":
        raise LookupFailed("nonsense", answer.codes)
    raise LookupFailed(_refusal(answer.message_codes), answer.codes)


def summary(row: Element) -> TransactionSummary:
    """One row of a transaction list."""
    status = _word(row.text("transactionStatus"))
    return TransactionSummary(
        transaction_id=_id(row.text("transId")),
        state=state_of(status),
        status=status,
        invoice_number=row.text("invoiceNumber") or None,
        amount_cents=cents(row.text("settleAmount")),
        submitted_at=_moment(row.text("submitTimeUTC")),
        customer_profile_id=row.text("profile/customerProfileId") or None,
        payment_profile_id=row.text("profile/customerPaymentProfileId") or None,
    )


def details(answer: Answer, transaction_id: str) -> TransactionDetails:
    """The answer of getTransactionDetails. Raises LookupFailed, also when it is about another transaction."""
    found = answer.first("transaction")
    if found is None or found.text("transId") != transaction_id:
        raise LookupFailed("mismatch")
    status = _word(found.text("transactionStatus"))
    last4 = _LAST4.search(found.text("payment/creditCard/cardNumber") or "")
    return TransactionDetails(
        transaction_id=transaction_id,
        state=state_of(status),
        status=status,
        invoice_number=found.text("order/invoiceNumber") or None,
        amount_cents=cents(found.text("settleAmount") or found.text("authAmount")),
        authorization_code=as_code(found.text("authCode")) or "",
        last4=last4.group() if last4 else None,
        transaction_type=_word(found.text("transactionType")),
        submitted_at=_moment(found.text("submitTimeUTC")),
        customer_profile_id=found.text("profile/customerProfileId") or None,
        payment_profile_id=found.text("profile/customerPaymentProfileId") or None,
        refunded_transaction_id=found.text("refTransId") or None,
        codes=GatewayCodes(
            response_code=found.code("responseCode"),
            reason_code=found.code("responseReasonCode"),
            message_code=answer.codes.message_code,
            avs_result=found.code("AVSResponse"),
            cvv_result=found.code("cardCodeResponse"),
        ),
    )


def batch(row: Element) -> SettledBatch:
    """One row of getSettledBatchList."""
    return SettledBatch(
        batch_id=_id(row.text("batchId")),
        settled_at=_moment(row.text("settlementTimeUTC")),
        state=_word(row.text("settlementState")),
    )


def _refusal(codes: list[str]) -> str:
    if not known.BUSY.isdisjoint(codes):
        return "busy"
    if known.NOT_FOUND in codes:
        return "not-found"
    if any(known.STATUS.get(code) == known.KEYS_REFUSED for code in codes):
        return "keys-refused"
    return "gateway-error"


def _id(text: str | None) -> str:
    if not text or not text.isascii() or not text.isdigit():
        raise LookupFailed("nonsense")
    return text


def _word(text: str | None) -> str:
    """One of the gateway's own words, as settledSuccessfully."""
    if not text or not _WORD.fullmatch(text):
        raise LookupFailed("nonsense")
    return text


def cents(text: str | None) -> int:
    """An amount of dollars as exact cents."""
    if not text or not _AMOUNT.fullmatch(text):
        raise LookupFailed("nonsense")
    return int(Decimal(text) * 100)


def _moment(text: str | None) -> datetime:
    """A time in ISO format; the gateway's UTC times may come without a zone."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError as error:
        raise LookupFailed("nonsense") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

"""Void, refund, and the review of held transactions."""

from __future__ import annotations

from api.sandbox.authorizenet.answers import LAST4, transaction_answer
from api.sandbox.authorizenet.charging import ROOT, amount_cents
from api.sandbox.authorizenet.decoding import Element
from api.sandbox.authorizenet.encoding import Answer
from api.sandbox.authorizenet.ledger import Ledger, Transaction

REVIEW_ROOT = "updateHeldTransactionResponse"
_CAN_BE_VOIDED = frozenset(
    {
        "capturedPendingSettlement",
        "authorizedPendingRelease",
        "refundPendingSettlement",
        "FDSPendingReview",
        "FDSAuthorizedPendingReview",
    }
)


def void(ledger: Ledger, element: Element, ref_id: str | None) -> tuple[Answer, Transaction | None]:
    """Void what has not settled. The answer carries the original's id; a second void is 1/310, anything else 3/16."""
    wanted = element.text("refTransId")
    if wanted is None:
        return transaction_answer(ROOT, ref_id, 3, 33, card_known=False), None
    transaction = ledger.find(wanted)
    if transaction is not None and transaction.status == "voided":
        return transaction_answer(ROOT, ref_id, 1, 310, ref_trans_id=wanted), None
    if transaction is None or transaction.status not in _CAN_BE_VOIDED:
        return transaction_answer(ROOT, ref_id, 3, 16, ref_trans_id=wanted, card_known=False), None
    transaction.become("voided", "voided", ledger.now())
    return transaction_answer(ROOT, ref_id, 1, 1, transaction=transaction, ref_trans_id=wanted), transaction


def refund(ledger: Ledger, element: Element, ref_id: str | None) -> tuple[Answer, Transaction | None]:
    """Refund a settled charge in full or in part. Raises LedgerFull.

    Refused with 3/5 (amount), 3/33 (no card), 3/16 (unknown id), 3/54 (not settled, or another card), 3/55 (more than
    was charged).
    """
    wanted = element.text("refTransId")
    cents = amount_cents(element.text("amount"))
    charge = ledger.find(wanted)
    reason = _refusal(ledger, element, charge, cents)
    if reason is not None or charge is None or cents is None:
        answer = transaction_answer(
            ROOT, ref_id, 3, reason or 16, ref_trans_id=wanted or "", card_known=charge is not None
        )
        return answer, None
    now = ledger.now()
    made = Transaction(
        id=ledger.new_id(),
        type="refundTransaction",
        status="refundPendingSettlement",
        amount_cents=cents,
        submitted_at=now,
        response_code=1,
        reason_code=1,
        invoice_number=element.text("order", "invoiceNumber") or charge.invoice_number,
        description=element.text("order", "description"),
        customer_profile_id=charge.customer_profile_id,
        payment_profile_id=charge.payment_profile_id,
        ref_id=ref_id,
        ref_trans_id=charge.id,
    )
    ledger.add(made)
    charge.history.append({"event": "refunded", "status": charge.status, "at": now.isoformat(), "transId": made.id})
    return transaction_answer(ROOT, ref_id, 1, 1, transaction=made, ref_trans_id=charge.id), made


def review(ledger: Ledger, transaction_id: str | None, action: str, ref_id: str | None = None) -> Answer:
    """Approve or decline a held transaction; 3/16 where it is not held.

    An approval is captured. A decline ends as declined where nothing was authorized (252), else (253) as voided.
    The answer to a decline, 2/254, follows the published reason codes; no recorded one was to be had.
    """
    transaction = ledger.find(transaction_id)
    if transaction is None or not transaction.held:
        return transaction_answer(REVIEW_ROOT, ref_id, 3, 16, ref_trans_id=transaction_id or "", card_known=False)
    if action == "approve":
        transaction.auth_code = transaction.auth_code or ledger.new_auth_code()
        transaction.response_code, transaction.reason_code = 1, 1
        transaction.become("capturedPendingSettlement", "approved", ledger.now())
    else:
        transaction.response_code, transaction.reason_code = 2, 254
        authorized = transaction.status == "FDSAuthorizedPendingReview"
        transaction.become("voided" if authorized else "declined", "declined", ledger.now())
    return transaction_answer(
        REVIEW_ROOT,
        ref_id,
        transaction.response_code,
        transaction.reason_code,
        transaction=transaction,
        ref_trans_id=transaction.id,
    )


def _refusal(ledger: Ledger, element: Element, charge: Transaction | None, cents: int | None) -> int | None:
    """The reason code of the first rule that the refund breaks."""
    if cents is None:
        return 5
    if element.child("payment") is None and element.child("profile") is None:
        return 33
    if charge is None:
        return 16
    if charge.status != "settledSuccessfully" or not _same_card(element, charge):
        return 54
    return 55 if ledger.refunded_cents(charge) + cents > charge.amount_cents else None


def _same_card(element: Element, charge: Transaction) -> bool:
    """The card of the charge, named by its last four digits or by its stored profile."""
    number = element.text("payment", "creditCard", "cardNumber")
    if number is not None:
        return number[-4:] == LAST4
    return element.text("profile", "paymentProfile", "paymentProfileId") == charge.payment_profile_id

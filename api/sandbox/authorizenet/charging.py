"""authCaptureTransaction on a stored payment profile."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from api.sandbox.authorizenet.answers import transaction_answer
from api.sandbox.authorizenet.decoding import Element
from api.sandbox.authorizenet.encoding import Answer, Value, error_response
from api.sandbox.authorizenet.ledger import Ledger, Transaction
from api.sandbox.authorizenet.profiles import Outcome

ROOT = "createTransactionResponse"
DEFAULT_DUPLICATE_WINDOW_S = 120
MAX_DUPLICATE_WINDOW_S = 28_800
PARTIAL_CENTS = 123
MAX_CENTS = 9_999_999_99

# Compared to find a duplicate, besides the login and the card; refId, description, lineItems and IP are not
# (Authorize.net's guide to the duplicate window).
_COMPARED = (
    ("poNumber",),
    ("order", "invoiceNumber"),
    ("customer", "id"),
    *(("billTo", name) for name in ("firstName", "lastName", "company", "address", "city", "state", "zip", "country")),
)


@dataclass(frozen=True)
class Charge:
    """What a charge request asks for. `window` is the duplicateWindow as it was sent, None where it was not."""

    element: Element
    ref_id: str | None
    amount_cents: int | None
    customer_profile_id: str
    payment_profile_id: str
    window: str | None
    test_request: bool

    @property
    def duplicate_key(self) -> tuple[str | None, ...]:
        compared = (self.element.text(*path) for path in _COMPARED)
        return (self.customer_profile_id, self.payment_profile_id, str(self.amount_cents), self.window, *compared)

    @property
    def window_s(self) -> int:
        return DEFAULT_DUPLICATE_WINDOW_S if self.window is None else int(self.window)


def read_charge(element: Element, ref_id: str | None) -> Charge | Answer:
    """The charge, or the answer to one that is not on a stored profile or has an impossible duplicateWindow."""
    customer = element.text("profile", "customerProfileId")
    payment = element.text("profile", "paymentProfile", "paymentProfileId")
    if element.child("payment") is not None:
        return error_response("E00013", "payment: the sandbox charges stored payment profiles only.")
    if customer is None or payment is None:
        return transaction_answer(ROOT, ref_id, 3, 33, card_known=False)
    settings = _settings(element)
    window = settings.get("duplicateWindow")
    if window is not None and not (window.isdecimal() and int(window) <= MAX_DUPLICATE_WINDOW_S):
        return error_response("E00013", "duplicateWindow is invalid.")
    test_request = settings.get("testRequest", "").lower() in {"true", "1"}
    return Charge(element, ref_id, amount_cents(element.text("amount")), customer, payment, window, test_request)


def charge(ledger: Ledger, request: Charge, outcome: Outcome) -> tuple[Answer, Transaction | None]:
    """Carry the charge out as the outcome says; the transaction is None where none was recorded. Raises LedgerFull."""
    if request.amount_cents is None:
        return transaction_answer(ROOT, request.ref_id, 3, 5), None
    original = ledger.duplicate_of(request.duplicate_key, request.window_s)
    if original is not None:
        return _duplicate(request, original), None
    if outcome.test_mode or request.test_request:
        extra: dict[str, Value] = {"authCode": "000000", "testRequest": "1"}
        return transaction_answer(ROOT, request.ref_id, 1, 1, extra=extra), None
    if outcome.status is None:
        return transaction_answer(ROOT, request.ref_id, outcome.response_code, outcome.reason_code), None
    transaction = _record(ledger, request, outcome, outcome.status)
    answer = transaction_answer(
        ROOT,
        request.ref_id,
        outcome.response_code,
        outcome.reason_code,
        transaction=transaction,
        extra=_partial_fields(ledger, transaction),
        after=_profile_fields(transaction),
    )
    return answer, transaction


def amount_cents(text: str | None) -> int | None:
    """The amount in cents; None where it is missing, not above zero, too large or finer than a cent."""
    cents = Decimal(text or "0") * 100
    return int(cents) if 0 < cents <= MAX_CENTS and cents == cents.to_integral_value() else None


def _settings(element: Element) -> dict[str, str]:
    listed = element.child("transactionSettings")
    settings = listed.children() if listed is not None else []
    return {setting.text("settingName") or "": setting.text("settingValue") or "" for setting in settings}


def _duplicate(request: Charge, original: Transaction) -> Answer:
    """3/11. Only a request that named its window learns the original's id, and its authCode if it was approved."""
    if request.window is None:
        return transaction_answer(ROOT, request.ref_id, 3, 11)
    return transaction_answer(ROOT, request.ref_id, 3, 11, transaction=original)


def _record(ledger: Ledger, request: Charge, outcome: Outcome, status: str) -> Transaction:
    cents = request.amount_cents or 0
    partly = outcome.reason_code == 295
    authorized = outcome.response_code in (1, 4) and status != "FDSPendingReview"
    transaction = Transaction(
        id=ledger.new_id(),
        type="authCaptureTransaction",
        status=status,
        amount_cents=min(PARTIAL_CENTS, max(cents // 2, 1)) if partly else cents,
        requested_cents=cents if partly else None,
        submitted_at=ledger.now(),
        response_code=outcome.response_code,
        reason_code=outcome.reason_code,
        auth_code=ledger.new_auth_code() if authorized else "",
        invoice_number=request.element.text("order", "invoiceNumber"),
        description=request.element.text("order", "description"),
        customer_profile_id=request.customer_profile_id,
        payment_profile_id=request.payment_profile_id,
        ref_id=request.ref_id,
    )
    transaction.held_as = status if transaction.held else None
    ledger.add(transaction, key=request.duplicate_key)
    return transaction


def _partial_fields(ledger: Ledger, transaction: Transaction) -> dict[str, Value]:
    if transaction.requested_cents is None:
        return {}
    requested, approved = transaction.requested_cents, transaction.amount_cents
    prepaid = {"requestedAmount": _decimal(requested), "approvedAmount": _decimal(approved), "balanceOnCard": "0.00"}
    return {"splitTenderId": ledger.new_id(), "prePaidCard": prepaid}


def _decimal(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def _profile_fields(transaction: Transaction) -> dict[str, Value]:
    ids: dict[str, Value] = {
        "customerProfileId": transaction.customer_profile_id or "",
        "customerPaymentProfileId": transaction.payment_profile_id or "",
    }
    return {"profile": ids, "networkTransId": f"{int(transaction.id):015d}"}

"""Settlement faults on purpose: what can go wrong between a charge and the bank, each by one control call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from api.sandbox.authorizenet.ledger import Ledger, Transaction

MAX_DAYS = 3650
MAX_CENTS = 9_999_999_99
_FIELDS = frozenset({"fault", "transId", "amount_cents", "days", "invoiceNumber"})


class BadPlant(ValueError):
    """The wish makes no sense; the text says why."""


def plant(ledger: Ledger, wish: Mapping[str, Any]) -> Transaction:
    """Carry out {"fault": ..., "transId": ..., ...}; the transaction that is at fault.

    | fault | what becomes of it |
    |---|---|
    | `amount-differs` | settles as `amount_cents` instead |
    | `missing-here` | a charge that nobody here asked for: `amount_cents`, and `invoiceNumber` if given |
    | `missing-there` | no batch takes it |
    | `late` | no batch takes it until `days` after its submission |
    | `duplicate` | the next batch takes the settled transaction once more, under the same id |
    | `charged-twice` | a second charge with the same invoice number and amount |
    | `chargeback`, `returnedItem`, `chargebackReversal` | one of that status with the charge's invoice number |
    | `refund` | a refund that was made at the gateway by hand, of `amount_cents` or all of it |

    Raises BadPlant, LedgerFull.
    """
    fault = wish.get("fault")
    if set(wish) - _FIELDS or fault not in _PLANTS:
        raise BadPlant(f"give fault ({', '.join(_PLANTS)}), transId, amount_cents, days or invoiceNumber")
    if fault == "missing-here":
        return _nobodys(ledger, wish)
    transaction = ledger.find(str(wish.get("transId")))
    if transaction is None:
        raise BadPlant("there is no transaction of that transId")
    return _PLANTS[str(fault)](ledger, transaction, wish)


def _amount_differs(ledger: Ledger, charge: Transaction, wish: Mapping[str, Any]) -> Transaction:
    _unsettled(charge)
    charge.settled_cents = _cents(wish)
    return charge


def _nobodys(ledger: Ledger, wish: Mapping[str, Any]) -> Transaction:
    invoice_number = wish.get("invoiceNumber")
    if invoice_number is not None and not (isinstance(invoice_number, str) and 1 <= len(invoice_number) <= 20):
        raise BadPlant("invoiceNumber has 1 to 20 characters")
    made = Transaction(
        id=ledger.new_id(),
        type="authCaptureTransaction",
        status="capturedPendingSettlement",
        amount_cents=_cents(wish),
        submitted_at=ledger.now(),
        response_code=1,
        reason_code=1,
        auth_code=ledger.new_auth_code(),
        invoice_number=invoice_number,
    )
    ledger.add(made)
    return made


def _missing_there(ledger: Ledger, charge: Transaction, wish: Mapping[str, Any]) -> Transaction:
    _unsettled(charge)
    charge.not_before = ledger.now() + timedelta(days=MAX_DAYS)
    return charge


def _late(ledger: Ledger, charge: Transaction, wish: Mapping[str, Any]) -> Transaction:
    _unsettled(charge)
    days = wish.get("days")
    if not isinstance(days, int) or isinstance(days, bool) or not 0 <= days <= MAX_DAYS:
        raise BadPlant(f"days is a whole number from 0 to {MAX_DAYS}")
    charge.not_before = charge.submitted_at + timedelta(days=days)
    return charge


def _duplicate(ledger: Ledger, charge: Transaction, wish: Mapping[str, Any]) -> Transaction:
    if charge.batch_id is None:
        raise BadPlant("the transaction has not settled yet")
    ledger.again.append(charge)
    return charge


def _charged_twice(ledger: Ledger, charge: Transaction, wish: Mapping[str, Any]) -> Transaction:
    return _another(ledger, charge, "capturedPendingSettlement", charge.amount_cents)


def _of_status(status: str) -> Callable[[Ledger, Transaction, Mapping[str, Any]], Transaction]:
    def of_status(ledger: Ledger, charge: Transaction, wish: Mapping[str, Any]) -> Transaction:
        if charge.batch_id is None:
            raise BadPlant("the transaction has not settled yet")
        return _another(ledger, charge, status, charge.settle_cents, ref_trans_id=charge.id)

    return of_status


def _refund(ledger: Ledger, charge: Transaction, wish: Mapping[str, Any]) -> Transaction:
    if charge.status != "settledSuccessfully":
        raise BadPlant("the transaction has not settled yet")
    cents = _cents(wish) if "amount_cents" in wish else charge.settle_cents
    made = _another(ledger, charge, "refundPendingSettlement", cents, ref_trans_id=charge.id)
    made.type = "refundTransaction"
    return made


def _another(
    ledger: Ledger, charge: Transaction, status: str, cents: int, ref_trans_id: str | None = None
) -> Transaction:
    """A new transaction like the charge, submitted now."""
    made = replace(
        charge,
        id=ledger.new_id(),
        status=status,
        amount_cents=cents,
        settled_cents=None,
        not_before=None,
        submitted_at=ledger.now(),
        batch_id=None,
        ref_trans_id=ref_trans_id,
        history=[],
    )
    ledger.add(made)
    return made


def _unsettled(transaction: Transaction) -> None:
    if transaction.batch_id is not None:
        raise BadPlant("the transaction has settled already")


def _cents(wish: Mapping[str, Any]) -> int:
    cents = wish.get("amount_cents")
    if not isinstance(cents, int) or isinstance(cents, bool) or not 0 < cents <= MAX_CENTS:
        raise BadPlant(f"amount_cents is a whole number from 1 to {MAX_CENTS}")
    return cents


_PLANTS: dict[str, Callable[[Ledger, Transaction, Mapping[str, Any]], Transaction]] = {
    "amount-differs": _amount_differs,
    "missing-here": lambda ledger, _, wish: _nobodys(ledger, wish),
    "missing-there": _missing_there,
    "late": _late,
    "duplicate": _duplicate,
    "charged-twice": _charged_twice,
    "chargeback": _of_status("chargeback"),
    "returnedItem": _of_status("returnedItem"),
    "chargebackReversal": _of_status("chargebackReversal"),
    "refund": _refund,
}

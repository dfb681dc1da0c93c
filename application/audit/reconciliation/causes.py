"""Why two sides disagree, in a sentence for people, and the exact command to type next."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from application.audit.reconciliation.matching import Finding
from application.receipt import money
from application.reconciler import LOOK_BACK
from domain.pricing import CURRENCY

_CAUSES: Final = {  # by Finding.reason
    "amount-differs": "The gateway settled {theirs} for transaction {transaction}; the log says {ours}.",
    "voided-yet-settled": "Charge {transaction} was voided by the log, and the gateway settled {theirs} all the same.",
    "nobodys-charge": "The gateway settled a charge of {theirs}, transaction {transaction}, that no order names.",
    "orphan-charge": "The gateway settled a charge of {theirs}, transaction {transaction}, that no order names; the log"
    " knows it as an orphan, and it has not been given back.",
    "unexpected-charge": "The gateway settled {theirs}, transaction {transaction}, for an order that had ended without"
    " it, and it has not been given back.",
    "attempt-ended-without-it": "The gateway settled {theirs}, transaction {transaction}, for an attempt whose order"
    " did not record a charge.",
    "nobodys-refund": "The gateway paid a refund of {theirs}, transaction {transaction}, that nobody asked for here.",
    "refund-not-recorded": "The gateway paid a refund of {theirs}, transaction {transaction}, that was asked for here"
    " and is not recorded yet.",
    "reversal-of-nothing": "The gateway reversed a chargeback of {theirs}, transaction {transaction}, that it never"
    " reported.",
    "charge-not-settled": "Charge {transaction} of {ours} was captured, and no batch holds it: no money is coming.",
    "refund-not-settled": "Refund {transaction} of {ours} was accepted, and no batch holds it: the customer has not"
    " been paid.",
    "settled-again": "The gateway settled transaction {transaction}, {theirs}, a second time.",
    "charged-twice": "The gateway settled a second charge of {theirs}, transaction {transaction}, for an order that was"
    " charged already.",
    "late": "Transaction {transaction}, {theirs}, settled days later than it should have.",
    "returned": "The bank returned {theirs}, transaction {transaction}: the money is gone again.",
    "charged-back": "The cardholder disputes {theirs}, transaction {transaction}: the bank took the money back.",
    "batch-total-differs": "Batch {batch} says that it moved {theirs}; its transactions add up to {ours}.",
}
_TAKEN_BACK: Final = (
    "orphan-charge", "nobodys-charge", "unexpected-charge", "attempt-ended-without-it", "charged-twice"
)  # fmt: skip
_COMMANDS: Final = {
    "voided-yet-settled": "orders audit breaks own {id} --reason 'refund it at the gateway'",
    **dict.fromkeys(_TAKEN_BACK, "orders audit breaks own {id} --reason 'refund it at the gateway'"),
    "refund-not-recorded": "orders work",
    "charge-not-settled": "orders payments void {order} --reason 'it never settled'",
    "refund-not-settled": "orders audit breaks own {id} --reason 'ask the gateway where the refund is'",
    "late": "orders audit breaks resolve {id} --reason 'it has settled since'",
    "returned": "orders audit breaks own {id} --reason 'collect the money again'",
    "charged-back": "orders audit breaks own {id} --reason 'answer the bank before its deadline'",
}
_ASK: Final = "orders audit breaks own {id} --reason 'ask the gateway'"


def explained(finding: Finding, break_id: UUID, now: datetime) -> tuple[str, str]:
    """Cause and next command. While the background work still looks at the batch, it takes back what is nobody's."""
    values = {
        "transaction": finding.key.transaction_id,
        "batch": finding.key.batch_id,
        "ours": money(finding.ours_cents, CURRENCY),
        "theirs": money(finding.theirs_cents, CURRENCY),
        "order": finding.order_id,
        "id": break_id,
    }
    command = _COMMANDS.get(finding.reason, _ASK)
    if finding.reason in _TAKEN_BACK and now - finding.happened_at < LOOK_BACK:
        command = "orders work"
    return _CAUSES[finding.reason].format(**values), command.format(**values)

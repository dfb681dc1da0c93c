"""Pairs each chargeback with its reversal: a charge may be disputed again after the bank has given the money back."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence

from application.audit.reconciliation.books import SettledRow

REVERSAL = "chargebackReversal"


def name(row: SettledRow) -> tuple[str, str]:
    return row.batch_id, row.transaction_id


def with_their_reversals(rows: Sequence[SettledRow]) -> set[tuple[str, str]]:
    """Each reversal with the chargeback that it ends: one before it, of the same invoice and amount, the oldest."""
    waiting: defaultdict[tuple[str, int], deque[SettledRow]] = defaultdict(deque)
    paired: set[tuple[str, str]] = set()
    disputes = [row for row in rows if row.kind == "chargeback" or row.status == REVERSAL]
    for row in sorted(disputes, key=lambda row: (row.settled_at, row.status == REVERSAL)):
        if row.invoice_number is None:
            continue
        of_same = waiting[row.invoice_number, row.amount_cents]
        if row.status != REVERSAL:
            of_same.append(row)
        elif of_same:
            paired |= {name(of_same.popleft()), name(row)}
    return paired

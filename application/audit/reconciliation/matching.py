"""Compares what we know of money with what the gateway settled. Pure: the same books and terms, the same answer.

Charges and refunds are matched by the gateway's transaction id. Declined and voided transactions settle nothing, so
nothing is expected of them. What is ours and has not settled is missing only after a grace.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from application.audit.reconciliation.books import Books, OurCharge, OurRefund, SettledRow, Standing
from application.audit.reconciliation.disputes import REVERSAL, name, with_their_reversals
from domain.settlement_break import BreakClass


@dataclass(frozen=True)
class Terms:
    """What is compared, and how patiently. Times are UTC."""

    first: datetime  # inclusive: settled there, or charged and refunded here
    last: datetime  # exclusive
    now: datetime
    grace: timedelta  # from the charge to its settlement


class Key(NamedTuple):
    """What makes one break another than the next."""

    classification: BreakClass
    transaction_id: str | None
    batch_id: str | None


@dataclass(frozen=True)
class Finding:
    """One disagreement."""

    key: Key
    reason: str  # a slug; causes.py has the words
    order_id: UUID | None
    invoice_number: str | None
    ours_cents: int
    theirs_cents: int
    happened_at: datetime


@dataclass
class Comparison:
    """How the two sides stand to each other."""

    matched: int = 0  # in the period
    matched_cents: int = 0  # charges less refunds
    waiting: int = 0  # ours, in the period, too young to be missing
    found: list[Finding] = field(default_factory=list)  # in the period
    standing: set[Key] = field(default_factory=set)  # every disagreement that holds, in the period or not
    awaited: set[str] = field(default_factory=set)  # transactions that may still settle, in the period or not

    @property
    def counts(self) -> Counter[BreakClass]:
        return Counter(finding.key.classification for finding in self.found)


def compare(books: Books, terms: Terms) -> Comparison:
    """Match both sides."""
    comparison = Comparison()
    matcher = _Matcher(books, terms)
    for row in books.rows:
        inside = terms.first <= row.settled_at < terms.last
        finding = matcher.judge(row)
        if finding is not None:
            _note(comparison, finding, inside=inside)
        elif inside:
            comparison.matched += 1
            comparison.matched_cents += row.amount_cents if row.kind == "charge" else -row.amount_cents
    for finding in matcher.batches():
        _note(comparison, finding, inside=terms.first <= finding.happened_at < terms.last)
    for ours in matcher.unsettled():
        inside = terms.first <= ours.at < terms.last
        if isinstance(ours, OurCharge) and ours.standing is not Standing.KEPT:
            comparison.awaited.add(ours.transaction_id)  # it is being taken back: settling would be the worse end
        elif ours.at + terms.grace > terms.now:
            comparison.awaited.add(ours.transaction_id)
            comparison.waiting += inside
        else:
            _note(comparison, _missing_there(ours), inside=inside)
    return comparison


def _note(comparison: Comparison, finding: Finding, *, inside: bool) -> None:
    comparison.standing.add(finding.key)
    if inside:
        comparison.found.append(finding)


class _Matcher:
    """Judges the settled rows one by one, in the order in which they were imported."""

    def __init__(self, books: Books, terms: Terms) -> None:
        self._books = books
        self._terms = terms
        self._seen: set[str] = set()  # transaction ids of settled charges and refunds
        self._orders = {invoice_number: order_id for order_id, invoice_number in books.attempts.items()}
        self._charged = {charge.invoice_number for charge in books.charges.values() if charge.standing is Standing.KEPT}
        self._charged |= {books.attempts.get(order_id) for order_id in books.settled.values()}
        self._settled_disputes = with_their_reversals(books.rows)

    def judge(self, row: SettledRow) -> Finding | None:
        """What is wrong with it, or None."""
        match row.kind:
            case "chargeback":
                reversed_ = name(row) in self._settled_disputes
                return None if reversed_ else self._finding(BreakClass.CHARGED_BACK, "charged-back", row, 0)
            case "returned":
                return self._finding(BreakClass.RETURNED, "returned", row, 0)
            case "charge" if row.status == REVERSAL:
                known = name(row) in self._settled_disputes
                return None if known else self._finding(BreakClass.MISSING_HERE, "reversal-of-nothing", row, 0)
        if row.transaction_id in self._seen or row.transaction_id in self._books.settled:
            return self._finding(BreakClass.DUPLICATE, "settled-again", row, ours_cents=0)
        self._seen.add(row.transaction_id)
        return self._refund(row) if row.kind == "refund" else self._charge(row)

    def batches(self) -> Iterator[Finding]:
        """Those whose rows do not add up to their own statistics."""
        for batch in self._books.batches.values():
            if batch.charged_rest_cents or batch.refunded_rest_cents:
                listed = (batch.charged_cents - batch.charged_rest_cents) - (
                    batch.refunded_cents - batch.refunded_rest_cents
                )
                key = Key(BreakClass.BATCH_TOTAL_DIFFERS, None, batch.batch_id)
                said = batch.charged_cents - batch.refunded_cents
                yield Finding(key, "batch-total-differs", None, None, listed, said, batch.settled_at)

    def unsettled(self) -> Iterator[OurCharge | OurRefund]:
        """What we know and has not settled, of all that may. After the rows have been judged."""
        for charge in self._books.charges.values():
            if not charge.voided and charge.transaction_id not in self._seen:
                yield charge
        for refund in self._books.refunds.values():
            if refund.transaction_id not in self._seen:
                yield refund

    def _charge(self, row: SettledRow) -> Finding | None:
        charge = self._books.charges.get(row.transaction_id)
        if charge is None:
            return self._not_ours(row)
        if charge.voided:
            return self._finding(BreakClass.MISSING_HERE, "voided-yet-settled", row, ours_cents=0)
        if charge.standing is not Standing.KEPT:
            if not charge.refunded:
                return self._not_ours(row, charge.standing)
            agrees = row.amount_cents == charge.amount_cents
            return None if agrees else self._amount_differs(row, charge.amount_cents)
        return self._amount_and_time(row, charge.amount_cents)

    def _not_ours(self, row: SettledRow, standing: Standing | None = None) -> Finding:
        if row.invoice_number is not None and row.invoice_number in self._charged:
            return self._finding(BreakClass.DUPLICATE, "charged-twice", row, ours_cents=0)
        if standing is not None:
            reason = f"{standing.value}-charge"
        else:
            reason = "attempt-ended-without-it" if row.invoice_number in self._orders else "nobodys-charge"
        return self._finding(BreakClass.MISSING_HERE, reason, row, ours_cents=0)

    def _refund(self, row: SettledRow) -> Finding | None:
        refund = self._books.refunds.get(row.transaction_id)
        if refund is not None:
            return self._amount_and_time(row, refund.amount_cents)
        asked = row.invoice_number is not None and row.invoice_number in self._books.refund_invoices
        reason = "refund-not-recorded" if asked else "nobodys-refund"
        return self._finding(BreakClass.MISSING_HERE, reason, row, ours_cents=0)

    def _amount_and_time(self, row: SettledRow, ours_cents: int) -> Finding | None:
        if row.amount_cents != ours_cents:
            return self._amount_differs(row, ours_cents)
        if row.settled_at - row.submitted_at > self._terms.grace:
            return self._finding(BreakClass.LATE, "late", row, ours_cents)
        return None

    def _amount_differs(self, row: SettledRow, ours_cents: int) -> Finding:
        return self._finding(BreakClass.AMOUNT_DIFFERS, "amount-differs", row, ours_cents)

    def _finding(self, classification: BreakClass, reason: str, row: SettledRow, ours_cents: int) -> Finding:
        known = self._books.charges.get(row.transaction_id) or self._books.refunds.get(row.transaction_id)
        named = row.invoice_number or (known.invoice_number if known else None)
        return Finding(
            Key(classification, row.transaction_id, row.batch_id),
            reason,
            known.order_id if known else self._order_of(named),
            named,
            ours_cents,
            row.amount_cents,
            row.settled_at,
        )

    def _order_of(self, invoice_number: str | None) -> UUID | None:
        if invoice_number is None:
            return None
        return self._orders.get(invoice_number) or self._books.refund_invoices.get(invoice_number)


def _missing_there(ours: OurCharge | OurRefund) -> Finding:
    reason = "charge-not-settled" if isinstance(ours, OurCharge) else "refund-not-settled"
    key = Key(BreakClass.MISSING_THERE, ours.transaction_id, None)
    return Finding(key, reason, ours.order_id, ours.invoice_number, ours.amount_cents, 0, ours.at)

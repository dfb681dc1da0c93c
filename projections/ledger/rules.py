"""The rules of the ledger: what each event means for the accounts. Pure functions, each of an event and what was known.

A rule's id and version stand in every entry that it makes. A rule that changes gets a new version, and goes on booking
events of before by the old one: an entry is never booked anew, only reversed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from domain.order import Order
from domain.orphan_charge import OrphanCharge
from domain.settlement import SettlementBatch
from domain.stream import Stream
from projections.ledger import accounts
from projections.ledger.accounts import (
    BANK_IN_TRANSIT,
    CHARGEBACKS,
    CLEARING,
    ORPHAN_CHARGES,
    RECEIVABLE,
    REFUNDS,
    RETURNED_PAYMENTS,
    UNEXPECTED_CHARGES,
)

REFUNDED_BY = "refunded-by-"  # how an orphan charge was taken back, before the id of the refund


class Posting(NamedTuple):
    """One line of an entry. `item`: the transaction or batch that the amount belongs to, in accounts that list them."""

    account: str
    amount_cents: int  # debit positive, credit negative
    item: str | None = None


class Rule(NamedTuple):
    """What an entry was made by."""

    id: str
    version: int
    meaning: str


class Booked(NamedTuple):
    """A journal entry. Its postings sum to zero, each account and item stands there once, and none is zero."""

    rule: Rule
    effective_at: datetime
    postings: tuple[Posting, ...]


class Priced(NamedTuple):
    """What an order costs, as its events said before."""

    lines: Sequence[tuple[str, int, int]]  # slug, gross cents, discount cents
    promotion_code: str | None


class Suspended(NamedTuple):
    """A charge that stands in suspense."""

    transaction_id: str
    amount_cents: int


class Known(NamedTuple):
    """What earlier events of the stream have said."""

    order: Priced | None = None
    suspended: Suspended | None = None  # the event's transaction, if it stands in suspense


class NotBalanced(Exception):
    """The postings of an entry do not sum to zero: the event contradicts the ones before it, or the rule is wrong."""


SUBMITTED = Rule("order-submitted", 1, "The client owes the total; revenue is gross, the discount stands apart")
CHARGED = Rule("payment-charged", 1, "The gateway owes us what the client owed")
VOIDED = Rule("payment-voided", 1, "Reverses the order and its charge, before it settled")
REFUNDED = Rule("payment-refunded", 1, "Given back after settlement; the gateway will settle it")
UNEXPECTED = Rule("unexpected-charge", 1, "The gateway keeps a charge for an order that had ended: we owe it back")
UNEXPECTED_RETURNED = Rule("unexpected-charge-returned", 1, "Reverses an unexpected charge")
ORPHAN = Rule("orphan-charge", 1, "The gateway keeps a charge that no order names: we owe it back")
ORPHAN_RETURNED = Rule("orphan-charge-returned", 1, "Reverses an orphan charge")
CHARGE_SETTLED = Rule("charge-settled", 1, "The gateway has sent a charge to the bank")
REFUND_SETTLED = Rule("refund-settled", 1, "The gateway has taken a refund from the bank")
CHARGED_BACK = Rule("chargeback-settled", 1, "The cardholder's bank has taken a charge back")
CHARGEBACK_REVERSED = Rule("chargeback-reversed", 1, "The cardholder's bank has given a charge back to us")
RETURNED = Rule("payment-returned", 1, "The payer's bank has returned a payment unpaid")

RULES = (
    SUBMITTED, CHARGED, VOIDED, REFUNDED, UNEXPECTED, UNEXPECTED_RETURNED, ORPHAN, ORPHAN_RETURNED, CHARGE_SETTLED,
    REFUND_SETTLED, CHARGED_BACK, CHARGEBACK_REVERSED, RETURNED,
)  # fmt: skip


def book(event: Stream.Event, known: Known) -> Booked | None:
    """The entry of an event; None where it moves no money. Raises NotBalanced."""
    rule = _RULE_OF.get(type(event))
    booked = rule(event, known) if rule else None
    if booked is None:
        return None
    sums: dict[tuple[str, str | None], int] = {}
    for account, amount_cents, item in booked.postings:
        sums[account, item] = sums.get((account, item), 0) + amount_cents
    if sum(sums.values()):
        raise NotBalanced(f"rule {booked.rule.id} version {booked.rule.version}")
    if sums and len(sums) == len(booked.postings) and all(sums.values()):
        return booked  # nothing is there twice, and nothing is zero
    postings = tuple([Posting(account, cents, item) for (account, item), cents in sums.items() if cents])
    return booked._replace(postings=postings) if postings else None


def _move(
    cents: int, debit: str, credit: str, item: str | None = None, other: str | None = None
) -> tuple[Posting, ...]:
    """From one account to another. `item` is that of the debit side, `other` that of the credit side."""
    return (Posting(debit, cents, item), Posting(credit, -cents, other))


# --- orders -----------------------------------------------------------------------------------------------------------


def _submitted(event: Order.Submitted, known: Known) -> Booked:
    return Booked(SUBMITTED, event.timestamp, _sale(event.total_cents, known))


def _sale(total_cents: int, known: Known) -> tuple[Posting, ...]:
    assert known.order is not None, "an order is priced before it is submitted"
    lines, code = known.order
    revenue = [Posting(accounts.revenue_of(slug), -gross) for slug, gross, _ in lines]
    if code is None:
        return (Posting(RECEIVABLE, total_cents), *revenue)
    discount_cents = sum([discount for _, _, discount in lines])
    return (Posting(RECEIVABLE, total_cents), Posting(accounts.discounts_of(code), discount_cents), *revenue)


def _charged(event: Order.PaymentCharged, known: Known) -> Booked:
    return Booked(CHARGED, event.timestamp, _charge(event.amount_cents, event.transaction_id))


def _charge(cents: int, transaction_id: str) -> tuple[Posting, ...]:
    return _move(cents, CLEARING, RECEIVABLE, item=transaction_id)


def _unexpected(event: Order.VoidRequested, known: Known) -> Booked | None:
    if not event.unexpected:
        return None  # asked for; booked when the gateway has done it
    cents, item = event.amount_cents, event.transaction_id
    return Booked(UNEXPECTED, event.timestamp, _move(cents, CLEARING, UNEXPECTED_CHARGES, item, item))


def _voided(event: Order.PaymentVoided, known: Known) -> Booked:
    item = event.transaction_id
    if known.suspended is not None:
        returned = _move(known.suspended.amount_cents, UNEXPECTED_CHARGES, CLEARING, item, item)
        return Booked(UNEXPECTED_RETURNED, event.timestamp, returned)
    assert known.order is not None, "a charge that is voided was submitted or unexpected"
    total_cents = sum(gross - discount for _, gross, discount in known.order.lines)
    both = _sale(total_cents, known) + _charge(event.amount_cents, item)
    return Booked(VOIDED, event.timestamp, tuple(p._replace(amount_cents=-p.amount_cents) for p in both))


def _refunded(event: Order.PaymentRefunded, known: Known) -> Booked:
    item, cents = event.refund_transaction_id, event.amount_cents
    if known.suspended is not None:
        returned = _move(cents, UNEXPECTED_CHARGES, CLEARING, event.transaction_id, item)
        return Booked(UNEXPECTED_RETURNED, event.timestamp, returned)
    return Booked(REFUNDED, event.timestamp, _move(cents, REFUNDS, CLEARING, other=item))


# --- orphan charges ---------------------------------------------------------------------------------------------------


def _orphan_found(event: OrphanCharge.Found, known: Known) -> Booked:
    item = event.transaction_id
    return Booked(ORPHAN, event.submitted_at, _move(event.amount_cents, CLEARING, ORPHAN_CHARGES, item, item))


def _orphan_returned(event: OrphanCharge.TakenBack, known: Known) -> Booked:
    assert known.suspended is not None, "an orphan charge is found before it is taken back"
    item, cents = known.suspended
    given_back = event.how.removeprefix(REFUNDED_BY) if event.how.startswith(REFUNDED_BY) else item
    returned = _move(cents, ORPHAN_CHARGES, CLEARING, item, given_back)
    return Booked(ORPHAN_RETURNED, event.timestamp, returned)


# --- settlement -------------------------------------------------------------------------------------------------------


def _settled(event: SettlementBatch.TransactionSettled, known: Known) -> Booked:
    cents, item, batch = event.amount_cents, event.transaction_id, event.batch_id
    match event.kind, event.status:
        case "charge", "chargebackReversal":
            rule, moved = CHARGEBACK_REVERSED, _move(cents, BANK_IN_TRANSIT, CHARGEBACKS, batch, item)
        case "charge", _:
            rule, moved = CHARGE_SETTLED, _move(cents, BANK_IN_TRANSIT, CLEARING, batch, item)
        case "refund", _:
            rule, moved = REFUND_SETTLED, _move(cents, CLEARING, BANK_IN_TRANSIT, item, batch)
        case "chargeback", _:
            rule, moved = CHARGED_BACK, _move(cents, CHARGEBACKS, BANK_IN_TRANSIT, item, batch)
        case "returned", _:
            rule, moved = RETURNED, _move(cents, RETURNED_PAYMENTS, BANK_IN_TRANSIT, item, batch)
        case kind, _:
            raise ValueError(f"no rule for a settled transaction of the kind {kind!r}")
    return Booked(rule, event.settled_at, moved)


_RULE_OF: dict[type[Stream.Event], Callable[[Any, Known], Booked | None]] = {
    Order.Submitted: _submitted,
    Order.PaymentCharged: _charged,
    Order.VoidRequested: _unexpected,
    Order.PaymentVoided: _voided,
    Order.PaymentRefunded: _refunded,
    OrphanCharge.Found: _orphan_found,
    OrphanCharge.TakenBack: _orphan_returned,
    SettlementBatch.TransactionSettled: _settled,
}
BOOKED = frozenset(_RULE_OF)
"""The events that may move money."""

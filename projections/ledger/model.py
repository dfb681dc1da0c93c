"""The ledger as a read model: folds each event into at most one journal entry, by the rules."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import msgspec

from domain.order import Order
from domain.orphan_charge import OrphanCharge
from domain.settlement import SettlementBatch
from domain.stream import Stream
from projections.code_digest import code_digest
from projections.ledger.accounts import CLEARING
from projections.ledger.periods import ClosedMonth, closed_before, period_of
from projections.ledger.rules import BOOKED, Known, Priced, Suspended, book
from projections.ledger.tables import clearing_items, daily, entries, postings, priced_orders, suspense
from projections.model import Changes, ReadModel, Row

_ENDED = (Order.Refused, Order.PaymentDeclined, Order.PaymentFailed, Order.PaymentNotSent, Order.PaymentExpired)
_BEGUN = (Order.Requested, Order.PromotionApplied)
_ENDS_KNOWN = {Order.PaymentVoided, Order.PaymentRefunded, OrphanCharge.TakenBack}  # by what is known of the charge
_ASKED_FOR = {Order.Submitted, *_ENDS_KNOWN}
_REMEMBERED = {Order.VoidRequested, OrphanCharge.Found, *_ENDS_KNOWN}
_NOTHING_KNOWN = Known()
_decode_lines = msgspec.json.Decoder(list[tuple[str, int, int]]).decode
_encode = msgspec.json.Encoder().encode
_CODE = ("accounts", "model", "periods", "rules", "tables")  # the files that decide what the rows are


class Ledger(ReadModel):
    """Keeps the journal, and of each order and each charge in suspense what its next entry needs."""

    name = "ledger"
    records = (priced_orders, suspense)
    sums = (daily, clearing_items)
    appends = (entries, postings)
    events = BOOKED.union(_BEGUN, _ENDED)

    def __init__(self, closed: Sequence[ClosedMonth] = ()) -> None:
        """`closed`: months that are closed, oldest first; what comes after a cut-off is booked in a later one."""
        self._closed = closed

    def fold(self, event: Stream.Event, position: int, changes: Changes) -> None:
        kind = type(event)
        if kind in BOOKED:
            known = _known(event, changes) if kind in _ASKED_FOR else _NOTHING_KNOWN
            _book(event, known, position, changes, closed_before(self._closed, position))
            if kind in _REMEMBERED:
                _remember(event, changes)
        elif isinstance(event, _BEGUN):
            _price(event, changes)
        elif isinstance(event, _ENDED):
            changes.records[priced_orders].drop(event.originator_id)  # nothing will be booked for it

    @cached_property
    def code_digest(self) -> str:
        return code_digest(Path(__file__).with_name(f"{name}.py") for name in _CODE)


def _price(event: Order.Requested | Order.PromotionApplied, changes: Changes) -> None:
    rows, order_id = changes.records[priced_orders], event.originator_id
    if isinstance(event, Order.Requested):
        lines = [(line.slug, line.base_price_cents, 0) for line in event.lines]
        rows.put({"order_id": order_id, "promotion_code": None, "lines": _encode(lines).decode()})
        return
    row = rows.find(order_id)
    assert row is not None, "an order is requested first"
    found = zip(_decode_lines(row["lines"]), event.discounts_cents, strict=True)
    lines = [(slug, gross, discount) for (slug, gross, _), discount in found]
    rows.change(order_id, promotion_code=event.code, lines=_encode(lines).decode())


def _book(event: Stream.Event, known: Known, position: int, changes: Changes, closed_through: str | None) -> None:
    booked = book(event, known)
    if booked is None:
        return
    rule, recorded_at = booked.rule, event.timestamp
    changes.appends[entries].append(
        (
            position, event.originator_id, event.TOPIC, rule.id, rule.version,  # type: ignore[attr-defined]
            recorded_at, booked.effective_at, period_of(recorded_at, closed_through),
            event.invoice_number if isinstance(event, SettlementBatch.TransactionSettled) else None,
        )
    )  # fmt: skip
    lines, sums = changes.appends[postings], changes.sums[daily]
    day, effective_day = recorded_at.date(), booked.effective_at.date()
    for line, (account, cents, item) in enumerate(booked.postings, start=1):
        lines.append((position, line, account, cents, item))
        if account == CLEARING:
            changes.sums[clearing_items][(item,)]["amount_cents"] += cents
        if cents > 0:
            sums[day, effective_day, account]["debit_cents"] += cents
        else:
            sums[day, effective_day, account]["credit_cents"] -= cents


def _known(event: Stream.Event, changes: Changes) -> Known:
    """What the rule of the event may ask for."""
    stream_id = event.originator_id
    match event:
        case Order.Submitted():
            return Known(_priced(changes.records[priced_orders].find(stream_id)))
        case Order.PaymentVoided(transaction_id=item) | Order.PaymentRefunded(transaction_id=item):
            order = changes.records[priced_orders].find(stream_id)
            return Known(_priced(order), _suspended(changes.records[suspense].find(stream_id, item)))
        case _:  # an orphan charge that was taken back
            rows = changes.records[suspense].of_stream(stream_id)
            return Known(None, _suspended(rows[0] if rows else None))


def _priced(row: Row | None) -> Priced | None:
    return Priced(_decode_lines(row["lines"]), row["promotion_code"]) if row else None


def _suspended(row: Row | None) -> Suspended | None:
    return Suspended(row["transaction_id"], row["amount_cents"]) if row else None


def _remember(event: Stream.Event, changes: Changes) -> None:
    """Keep a charge in suspense until it is given back, and an order until its charge is."""
    stream_id, rows = event.originator_id, changes.records[suspense]
    match event:
        case (
            Order.VoidRequested(transaction_id=item, amount_cents=cents, unexpected=True)
            | OrphanCharge.Found(transaction_id=item, amount_cents=cents)
        ):
            rows.put({"stream_id": stream_id, "transaction_id": item, "amount_cents": cents})
        case Order.PaymentVoided(transaction_id=item) | Order.PaymentRefunded(transaction_id=item):
            if rows.find(stream_id, item):
                rows.drop(stream_id, item)
            else:
                changes.records[priced_orders].drop(stream_id)
        case OrphanCharge.TakenBack():
            for row in rows.of_stream(stream_id):
                rows.drop(stream_id, row["transaction_id"])
        case _:
            pass

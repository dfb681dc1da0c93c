"""What each event means for the accounts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.stream import Stream
from projections.ledger.periods import next_month, period_of
from projections.ledger.rules import BOOKED, RULES
from tests.projections.histories import ENDINGS, START, Wish, history, order_events
from tests.projections.ledger.folding import folded
from tests.projections.ledger.histories import Orphan, batch_events, orphan_events, settled

PHOTOS, TWILIGHT = "revenue:services:photos", "revenue:services:twilight_photography_add_on"
CLEARING, IN_TRANSIT, TRANSACTION = "assets:gateway-clearing", "assets:bank-in-transit", "6000000001"


def an_order(ending: str, **wish: object) -> list[Stream.Event]:
    return order_events(1, Wish(ending, **wish))  # type: ignore[arg-type]


def a_batch(kind: str, item: str, cents: int, status: str | None = None) -> list[Stream.Event]:
    return batch_events(1, START + timedelta(days=1), [settled(kind, item, cents, status)])


def test_a_charged_order_is_gross_revenue_less_discount_and_money_in_clearing() -> None:
    booked = folded(an_order("sent", both=True, promotion=0))
    assert booked.rules == ["payment-charged", "order-submitted"]
    assert booked.balances == {
        CLEARING: 27_900, "revenue:discounts:SPRING10": 3_100, PHOTOS: -18_500, TWILIGHT: -12_500,
    }  # fmt: skip


def test_a_waived_order_is_revenue_that_the_promotion_takes_off_again() -> None:
    assert folded(an_order("sent", promotion=2)).lines == [
        ("revenue:discounts:GIFT", 18_500, None), (PHOTOS, -18_500, None),
    ]  # fmt: skip


def test_a_void_reverses_the_order_and_its_charge() -> None:
    booked = folded(an_order("voided", both=True, promotion=1))
    assert booked.rules == ["payment-charged", "order-submitted", "payment-voided"]
    assert booked.balances == {}


def test_a_refund_is_contra_revenue_and_comes_out_of_clearing_under_its_own_transaction() -> None:
    booked = folded(an_order("refunded"))
    assert booked.lines[-2:] == [("revenue:refunds", 18_500, None), (CLEARING, -18_500, "8000000001")]
    assert booked.balances == {PHOTOS: -18_500, "revenue:refunds": 18_500}


def test_an_unexpected_charge_waits_in_suspense_until_it_is_given_back() -> None:
    booked = folded(an_order("unexpected"))
    assert booked.rules == ["unexpected-charge", "unexpected-charge-returned"]
    assert booked.lines[:2] == [
        (CLEARING, 18_500, "7000000001"), ("liabilities:suspense:unexpected-charges", -18_500, "7000000001"),
    ]  # fmt: skip
    assert booked.balances == {}


@pytest.mark.parametrize("ending", ["declined", "failed", "not-sent", "expired", "refused", "open"])
def test_an_order_that_nobody_paid_for_is_not_booked(ending: str) -> None:
    assert folded(an_order(ending)).entries == []


def test_an_orphan_charge_waits_in_suspense_and_a_refund_leaves_two_items_until_they_settle() -> None:
    assert folded(orphan_events(1, Orphan(how=None))).balances == {
        CLEARING: 4_200, "liabilities:suspense:orphan-charges": -4_200,
    }  # fmt: skip
    assert folded(orphan_events(1, Orphan(how="voided"))).balances == {}
    refunded = folded(orphan_events(1, Orphan(how="refunded")))
    assert [(c, item) for a, c, item in refunded.lines if a == CLEARING] == [
        (4_200, "5000000001"), (-4_200, "4000000001"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "status", "rule", "lines"),
    [
        ("charge", None, "charge-settled", [(IN_TRANSIT, 500, "0000001"), (CLEARING, -500, TRANSACTION)]),
        ("refund", None, "refund-settled", [(CLEARING, 500, TRANSACTION), (IN_TRANSIT, -500, "0000001")]),
        ("chargeback", None, "chargeback-settled",
         [("expenses:chargebacks", 500, TRANSACTION), (IN_TRANSIT, -500, "0000001")]),
        ("charge", "chargebackReversal", "chargeback-reversed",
         [(IN_TRANSIT, 500, "0000001"), ("expenses:chargebacks", -500, TRANSACTION)]),
        ("returned", None, "payment-returned",
         [("expenses:returned-payments", 500, TRANSACTION), (IN_TRANSIT, -500, "0000001")]),
    ],
)  # fmt: skip
def test_each_kind_of_settled_transaction_has_its_rule(
    kind: str, status: str | None, rule: str, lines: list[tuple[str, int, str]]
) -> None:
    booked = folded(a_batch(kind, TRANSACTION, 500, status))
    assert (booked.rules, booked.lines) == ([rule], lines)


def test_an_entry_names_its_event_and_rule_and_keeps_both_times() -> None:
    (header, event), at = a_batch("charge", TRANSACTION, 500), START + timedelta(days=1)
    position, stream_id, topic, rule, version, recorded_at, effective_at, period, _ = folded([header, event]).entries[0]
    assert (position, stream_id, topic) == (2, event.originator_id, "settlement.transaction-settled.v1")
    assert (rule, version, period) == ("charge-settled", 1, "2026-11")
    assert (recorded_at, effective_at) == (at + timedelta(hours=1), at)


def test_every_rule_books_something_in_some_history() -> None:
    events = history([Wish(ending) for ending in ENDINGS]) + orphan_events(1, Orphan())
    for number, (kind, status) in enumerate(
        [("charge", None), ("refund", None), ("chargeback", None), ("returned", None), ("charge", "chargebackReversal")]
    ):
        events += batch_events(number, START, [settled(kind, "1", 100, status)])
    assert set(folded(events).rules) == {rule.id for rule in RULES}
    assert {type(event) for event in events} >= BOOKED


def test_an_entry_for_a_closed_month_is_booked_in_the_next_open_one() -> None:
    assert period_of(START) == "2026-11"
    assert period_of(START, closed_through="2026-10") == "2026-11"
    assert period_of(START, closed_through="2026-11") == "2026-12"
    assert period_of(START, closed_through="2026-12") == "2027-01"
    assert next_month("2026-12") == "2027-01"

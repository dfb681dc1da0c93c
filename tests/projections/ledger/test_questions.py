"""From a figure to its entries, all that was booked for an order, and balances at any instant."""

from __future__ import annotations

from datetime import UTC, timedelta
from uuid import UUID

import pytest

from api.read_models import LEDGER
from projections.ledger.accounts import CLEARING, RECEIVABLE
from projections.ledger.balances import Selection, open_items, trial_balance
from projections.ledger.entries import find_postings, postings_of_order
from projections.model import Row
from projections.paging import Page, Span
from tests.projections.histories import START, Wish, history
from tests.projections.ledger.histories import batch_events, settleable, settled
from tests.projections.world import World, opened_world

FIRST = UUID(int=(1 << 80) + 1)
SETTLED_AT = START + timedelta(days=30)  # the gateway's clock; we read it an hour later
EVERYTHING, ALL = Span(), Page(1_000)


@pytest.fixture(scope="module")
def told(shared_world: World) -> World:
    """Given an order that is refunded, two that are paid, of which one settles as the refund does, and one voided."""
    orders = history([Wish("refunded"), Wish("sent", promotion=0), Wish("sent", both=True), Wish("voided")])
    shared_world.append([*orders, *batch_events(1, SETTLED_AT, list(settleable(orders))[:3])])
    shared_world.follow()
    return shared_world


def balances(world: World, selection: Selection) -> dict[str, int]:
    rows = world.read(LEDGER, lambda c: trial_balance(c, selection))
    return {row["account"]: row["balance_cents"] for row in rows if row["balance_cents"]}


def test_all_that_was_booked_for_an_order_is_found_also_its_settlement(told: World) -> None:
    rows = told.read(LEDGER, lambda c: postings_of_order(c, FIRST))
    assert [row["rule"] for row in rows if row["line"] == 1] == [
        "payment-charged", "order-submitted", "payment-refunded", "charge-settled", "refund-settled",
    ]  # fmt: skip
    first = rows[0]
    assert (first["account"], first["debit_cents"], first["credit_cents"]) == (CLEARING, 18_500, 0)
    assert (first["topic"], first["recorded_at"].tzinfo, first["period"]) == (
        "order.payment-charged.v1",
        UTC,
        "2026-11",
    )
    assert sum(row["debit_cents"] - row["credit_cents"] for row in rows) == 0
    assert told.read(LEDGER, lambda c: postings_of_order(c, UUID(int=7))) == []


def test_a_chargeback_its_reversal_and_a_returned_payment_are_booked_for_the_order_that_they_name(
    database_url: str,
) -> None:
    with opened_world(database_url) as world:
        orders = history([Wish("sent"), Wish("sent")])
        rows = [
            settled(kind, transaction_id, 18_500, status, invoice)
            for kind, transaction_id, status, invoice in [
                ("charge", "6000000001", None, "A" * 20), ("charge", "6000000002", None, "B" * 20),
                ("chargeback", "7001", None, "A" * 20), ("charge", "7002", "chargebackReversal", "A" * 20),
                ("returned", "7003", None, "A" * 20), ("chargeback", "7004", None, "B" * 20),
                ("chargeback", "7005", None, None),
            ]
        ]  # fmt: skip
        world.append([*orders, *batch_events(1, SETTLED_AT, rows)])
        world.follow()
        found = world.read(LEDGER, lambda c: postings_of_order(c, FIRST))
    assert [row["rule"] for row in found if row["line"] == 1] == [
        "payment-charged", "order-submitted", "charge-settled", "chargeback-settled", "chargeback-reversed",
        "payment-returned",
    ]  # fmt: skip


def test_a_statement_of_an_account_adds_up_to_its_balance_and_is_paged_without_a_gap(told: World) -> None:
    whole = told.read(LEDGER, lambda c: find_postings(c, EVERYTHING, ALL, account=CLEARING))
    assert {row["account"] for row in whole} == {CLEARING}
    assert sum(row["amount_cents"] for row in whole) == balances(told, Selection())[CLEARING]

    found: list[Row] = []
    after: tuple[int, int] | None = None
    while True:
        page = Page(2, after)
        rows = told.read(LEDGER, lambda c, p=page: find_postings(c, EVERYTHING, p))
        found += rows[:2]
        if len(rows) <= 2:
            break
        after = (rows[1]["position"], rows[1]["line"])
    assert found == told.read(LEDGER, lambda c: find_postings(c, EVERYTHING, ALL))
    assert len(found) > len(whole)


def test_an_account_stands_for_all_below_it(told: World) -> None:
    rows = told.read(LEDGER, lambda c: find_postings(c, EVERYTHING, ALL, account="revenue"))
    assert {row["account"].split(":")[1] for row in rows} == {"services", "discounts", "refunds"}
    assert told.read(LEDGER, lambda c: find_postings(c, EVERYTHING, ALL, account="rev")) == []
    assert told.read(LEDGER, lambda c: find_postings(c, EVERYTHING, ALL, account="revenu_")) == []


def test_a_balance_is_as_it_was_recorded_or_as_it_happened(told: World) -> None:
    in_transit, between = "assets:bank-in-transit", SETTLED_AT + timedelta(minutes=30)
    everything, before = balances(told, Selection()), balances(told, Selection.at(between))
    assert everything[in_transit] == 16_650
    assert in_transit not in before
    assert balances(told, Selection.at(between, effective=True)) == everything
    moved = balances(told, Selection(Span(start=between)))
    assert moved == {in_transit: 16_650, CLEARING: everything[CLEARING] - before[CLEARING]}


def test_at_every_instant_the_sums_by_day_are_those_of_the_postings(told: World) -> None:
    rows = told.read(LEDGER, lambda c: find_postings(c, EVERYTHING, ALL))
    midnights = [START + timedelta(minutes=10), SETTLED_AT + timedelta(minutes=10), None]
    instants = [None, *midnights, *(row["recorded_at"] for row in rows), START + timedelta(days=1)]
    for start in {*midnights, rows[-1]["recorded_at"], rows[-5]["recorded_at"]}:
        for end in set(instants):
            expected: dict[str, int] = {}
            for row in rows:
                if (start is None or row["recorded_at"] >= start) and (end is None or row["recorded_at"] < end):
                    expected[row["account"]] = expected.get(row["account"], 0) + row["amount_cents"]
            found = balances(told, Selection(Span(start, end)))
            assert found == {account: cents for account, cents in expected.items() if cents}, (start, end)


def test_an_instant_is_without_what_was_recorded_at_it_and_a_position_is_with_it(told: World) -> None:
    (charge, *_) = told.read(LEDGER, lambda c: postings_of_order(c, FIRST))
    assert balances(told, Selection.at(charge["position"])) == {CLEARING: 18_500, RECEIVABLE: -18_500}
    assert balances(told, Selection.at(charge["position"] - 1)) == {}
    assert balances(told, Selection.at(charge["recorded_at"])) == {}


def test_open_items_name_the_event_that_they_come_from(told: World) -> None:
    items = told.read(LEDGER, lambda c: open_items(c))
    assert [(row["item"], row["amount_cents"], row["rule"]) for row in items] == [
        ("6000000003", 31_000, "payment-charged"),
    ]
    assert items[0]["stream_id"] == UUID(int=FIRST.int + 2)

"""It always balances: over generated histories, at every position, in the live rows and in rebuilt ones."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from api.read_models import LEDGER
from domain.stream import Stream
from projections.ledger.accounts import CHART, CLEARING, Kind, kind_of, meaning_of
from projections.ledger.balances import Selection, open_items, totals, trial_balance
from projections.ledger.tables import entries, postings
from tests.projections.histories import ENDINGS, START, Wish, history, interleaved, order_events
from tests.projections.ledger.folding import folded
from tests.projections.ledger.histories import (
    Orphan,
    batch_events,
    clearing_items,
    orphan_events,
    settleable,
    settled,
)
from tests.projections.world import World

WISHES = st.builds(
    Wish,
    ending=st.sampled_from(ENDINGS),
    promotion=st.sampled_from([None, 0, 1, 2]),
    both=st.booleans(),
    days=st.integers(0, 40),
    later_days=st.integers(0, 40),
)
ORPHANS = st.builds(Orphan, st.sampled_from([None, "voided", "refunded", "declined"]), st.integers(1, 10**12))
ODD = st.builds(
    settled,
    st.sampled_from(["charge", "refund", "chargeback", "returned"]),
    st.sampled_from(["6000000001", "6000000002", "nobody's"]),
    st.integers(1, 10**6),
)


@st.composite
def logs(draw: st.DrawFn) -> list[Stream.Event]:
    """Orders and orphans side by side, and in the end a batch of most of what they charged, and of odd things."""
    apart = [order_events(number, wish) for number, wish in enumerate(draw(st.lists(WISHES, max_size=8)), start=1)]
    apart += [orphan_events(number, orphan) for number, orphan in enumerate(draw(st.lists(ORPHANS, max_size=3)))]
    events = list(interleaved(draw(st.permutations(apart))))
    rows = [row for row in settleable(events) if draw(st.booleans())] + draw(st.lists(ODD, max_size=3))
    return events + batch_events(1, START + timedelta(days=45), rows)


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(logs())
def test_every_entry_sums_to_zero_and_clearing_is_its_open_items(log: list[Stream.Event]) -> None:
    booked = folded(log)
    sums: dict[int, int] = {}
    items: dict[str | None, int] = {}
    for position, _, account, cents, item in booked.postings:
        sums[position] = sums.get(position, 0) + cents
        assert cents != 0
        if account == CLEARING:
            items[item] = items.get(item, 0) + cents
    assert sums == {entry[0]: 0 for entry in booked.entries}
    assert {item: cents for item, cents in items.items() if cents} == clearing_items(log)


@settings(max_examples=50, deadline=None, derandomize=True, database=None)
@given(logs())
def test_every_account_is_in_the_chart(log: list[Stream.Event]) -> None:
    for account, _, _ in folded(log).lines:
        assert kind_of(account) in Kind
        assert meaning_of(account)
    assert all(kind_of(account) in Kind for account in CHART)


def a_log() -> list[Stream.Event]:
    """Every ending, orphans, and a batch in which one charge is missing, one differs and one is not known here."""
    events = history(
        [Wish(ending, promotion=(None, 0, 1, 2)[n % 4], both=n % 2 > 0) for n, ending in enumerate(ENDINGS)]
    )
    events += orphan_events(1, Orphan()) + orphan_events(2, Orphan("refunded")) + orphan_events(3, Orphan(None))
    known = list(settleable(events))
    differs = settled("charge", known[1].transaction_id, known[1].amount_cents + 5)
    odd = [settled("charge", "nobodys", 77), settled("chargeback", known[3].transaction_id, 99)]
    return events + batch_events(1, START + timedelta(days=2), [*known[2:], differs, *odd])


def test_at_every_position_the_trial_balance_is_zero_and_the_open_items_are_clearing(world: World) -> None:
    log = a_log()
    world.append(log)
    world.follow()
    for position in range(len(log) + 1):
        balance = world.read(LEDGER, lambda c, p=position: trial_balance(c, Selection.at(p)))
        items = world.read(LEDGER, lambda c, p=position: open_items(c, p))
        assert totals(balance)["balance_cents"] == 0, position
        clearing = sum(row["balance_cents"] for row in balance if row["account"] == CLEARING)
        assert sum(row["amount_cents"] for row in items) == clearing, position
        assert {row["item"]: row["amount_cents"] for row in items} == clearing_items(log[:position]), position
    assert items, "the batch leaves some items open"


def test_a_rebuild_makes_the_same_rows_whatever_the_batches_were(world: World) -> None:
    log = a_log()
    for start in range(0, len(log), 7):
        world.append(log[start : start + 7])
        world.follow()
    before = (world.rows(entries), world.rows(postings))
    (outcome,) = world.parts.rebuilder.rebuild([LEDGER])
    assert outcome.comparison.equal
    assert outcome.switched
    assert (world.rows(entries), world.rows(postings)) == before
    assert sorted(row["position"] for row in before[0]) == sorted(row[0] for row in folded(log).entries)

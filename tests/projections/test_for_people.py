"""What only people ask: who is at work, which breaks stand, what is open in clearing, which months there are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from api.read_models import LEDGER, NOTIFICATIONS, SETTLEMENT_BREAKS
from domain.settlement_break import BreakClass, SettlementBreak
from domain.stream import Metadata
from projections import leases, open_work
from projections.at_work import items_of, open_items, read_at_work
from projections.ledger import balances
from projections.ledger.clearing import oldest_open_items
from projections.ledger.months import months_through
from projections.notifications import count_notifications
from projections.paging import Page
from projections.settlement_breaks import count_breaks, find_breaks
from tests.projections.histories import Wish, history
from tests.projections.world import World

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


def a_break(number: int) -> SettlementBreak:
    found = SettlementBreak.empty(UUID(int=number))
    found.find(
        _at(number),
        classification=BreakClass.MISSING_HERE, transaction_id=f"6000{number}", batch_id="1", invoice_number=None,
        order_id=None, ours_cents=None, theirs_cents=18_500, happened_at=AT, cause="Nobody knows.", next_command="-",
    )  # fmt: skip
    return found


def _at(number: int) -> Metadata:
    return Metadata(AT + timedelta(seconds=number), "user:4", "req_1", "req_1")


def test_work_is_counted_by_kind_with_what_is_in_hand_and_given_up(world: World) -> None:
    world.append(history([Wish("open"), Wish("open"), Wish("open"), Wish("mail-failed")]))
    world.follow()
    with world.parts.storage.control.execution_options(immediate=True).begin() as connection:
        claimed = open_work.claim(connection, "ann", 2, 60.0)
        open_work.postpone(connection, "ann", claimed[0]["order_id"], claimed[0]["kind"], claimed[0]["ticket"], None)
        leases.take(connection, "rebuild-orders", "bob", 60.0)

    found = read_at_work(world.parts.storage)

    crews = {crew.kind: crew for crew in found.crews}
    assert (crews["payment"].open, crews["email"].open, crews["reconcile"].open) == (3, 1, 1)
    assert sum(crew.in_hand for crew in found.crews) == 1
    assert sum(crew.given_up for crew in found.crews) == 1
    assert found.owners == {"ann": 1}
    (lease,) = [lease for lease in found.leases if lease.name == "rebuild-orders"]
    assert (lease.owner, lease.expired) == ("bob", False)


def test_open_items_come_longest_open_first_and_by_order(world: World) -> None:
    world.append(history([Wish("open", days=1), Wish("open"), Wish("open", days=2)]))
    world.follow()
    with world.parts.storage.control.connect() as connection:
        page = open_items(connection, "payment", 2)
        one = items_of(connection, "payment", [page[0].order_id])

    assert len(page) == 3  # one more than the limit: there are more
    assert [item.since for item in page] == sorted(item.since for item in page)
    assert list(one) == [page[0].order_id]
    assert page[0].owner is None


def test_a_break_is_open_then_owned_then_resolved(world: World) -> None:
    first, second, third = (a_break(number) for number in (1, 2, 3))
    second.own(_at(4), "user:4", "mine")
    third.own(_at(5), "user:4", "mine")
    third.resolve(_at(6), "the bank has paid")
    world.append([event for each in (first, second, third) for event in each.collect_events()])  # type: ignore[misc]
    world.follow()

    assert world.read(SETTLEMENT_BREAKS, count_breaks) == {"open": 1, "owned": 1, "resolved": 1}
    (owned,) = world.read(SETTLEMENT_BREAKS, lambda c: find_breaks(c, Page(5), state="owned"))
    assert (owned["owner"], owned["theirs_cents"], owned["ours_cents"]) == ("user:4", 18_500, None)
    newest, *_ = rows = world.read(SETTLEMENT_BREAKS, lambda c: find_breaks(c, Page(2)))
    assert (len(rows), newest["resolution"]) == (3, "the bank has paid")
    assert len(world.read(SETTLEMENT_BREAKS, lambda c: find_breaks(c, Page(5, (newest["position"],))))) == 2
    assert world.same_as_a_fresh_fold()


def test_the_oldest_open_items_are_those_of_the_ledger(world: World) -> None:
    world.append(history([Wish("sent", days=day) for day in range(4)] + [Wish("voided"), Wish("declined")]))
    world.follow()
    every = world.read(LEDGER, balances.open_items)

    found = world.read(LEDGER, lambda c: oldest_open_items(c, None, 3))

    assert [(row["item"], row["amount_cents"]) for row in found.items] == [
        (row["item"], row["amount_cents"]) for row in every[:3]
    ]
    assert (found.number, found.sum_cents) == (len(every), sum(row["amount_cents"] for row in every))
    assert world.read(LEDGER, lambda c: oldest_open_items(c, 1, 3)) == ([], 0, 0)


def test_months_reach_from_the_first_entry_to_now(world: World) -> None:
    assert world.read(LEDGER, lambda c: months_through(c, AT)) == []
    world.append(history([Wish("sent")]))
    world.follow()

    assert world.read(LEDGER, lambda c: months_through(c, datetime(2027, 2, 1, tzinfo=UTC))) == [
        "2027-02", "2027-01", "2026-12", "2026-11",
    ]  # fmt: skip
    assert world.read(NOTIFICATIONS, count_notifications) == {}

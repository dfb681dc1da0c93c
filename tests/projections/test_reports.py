"""Every report says what the log says: held against a plain recomputation, over histories of all kinds."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.read_models import CONVERSION, DIRECTORY_CHANGES, EMAIL_DELIVERIES, PAYMENTS, PROMOTIONS, REVENUE
from projections.conversion import conversion_by_day, conversion_totals
from projections.directory_changes import find_directory_changes
from projections.email_deliveries import find_email_deliveries
from projections.orders import orders
from projections.paging import Page, Span
from projections.payments import find_payments
from projections.promotions import USE, find_promotions
from projections.revenue import AMOUNTS, DESIGNATION, PROMOTION, SERVICE, revenue_by, revenue_by_day
from tests.projections.histories import ENDINGS, START, Wish, history, interleaved, order_events, promotion_events
from tests.projections.recomputed import Reports
from tests.projections.world import World

EVERYTHING, ALL = Span(), Page(10_000)
WISHES = st.lists(
    st.builds(
        Wish,
        ending=st.sampled_from(ENDINGS),
        promotion=st.sampled_from([None, 0, 1, 2]),
        both=st.booleans(),
        days=st.integers(0, 3),
        later_days=st.integers(0, 2),
        designation=st.sampled_from([None, "agent", "broker"]),
    ),
    min_size=1,
    max_size=12,
)


def require_agreement(world: World) -> None:
    """Every report, over everything."""
    said = Reports(world.log)
    rows = world.read(REVENUE, lambda connection: revenue_by_day(connection, EVERYTHING, ALL))
    assert {(row["day"], ""): [row[name] for name in AMOUNTS] for row in rows} == said.revenue("day")
    for dimension in (SERVICE, PROMOTION, DESIGNATION):
        sums: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        for (_, value), amounts in said.revenue(dimension).items():
            sums[value] = [a + b for a, b in zip(sums[value], amounts, strict=True)]
        rows = world.read(REVENUE, lambda connection, d=dimension: revenue_by(connection, d, EVERYTHING, ALL))
        assert {row[dimension]: [row[name] for name in AMOUNTS] for row in rows} == sums
        assert all(row["net_cents"] == row["charged_cents"] - row["returned_cents"] for row in rows)
    rows = world.read(CONVERSION, lambda connection: conversion_by_day(connection, EVERYTHING, ALL))
    assert {
        row["day"]: Counter({k: n for k, n in row.items() if k != "day" and n}) for row in rows
    } == said.conversion()
    rows = world.read(PROMOTIONS, lambda connection: find_promotions(connection, EVERYTHING, ALL))
    used = said.promotion_use()
    assert {r["promotion_id"]: Counter({n: r[n] for n in USE if r[n]}) for r in rows if r["reserved"]} == {
        promotion_id: Counter({name: number for name, number in use.items() if number})
        for promotion_id, use in used.items()
    }
    require_agreement_on_lists(world, said)


def require_agreement_on_lists(world: World, said: Reports) -> None:
    rows = world.read(PAYMENTS, lambda connection: find_payments(connection, EVERYTHING, ALL))
    names = ("state", "reason", "amount_cents", "transaction_id", "authorization_code", "last4")
    assert {row["order_id"]: tuple(row[name] for name in names) for row in rows} == said.payments()
    assert {
        (row["order_id"], c["transaction_id"]): (c["state"], c["amount_cents"], c["unexpected"])
        for row in rows
        for c in row["corrections"]
    } == said.corrections()
    assert [row["position"] for row in rows] == sorted((row["position"] for row in rows), reverse=True)
    rows = world.read(EMAIL_DELIVERIES, lambda connection: find_email_deliveries(connection, EVERYTHING, ALL))
    assert {
        (row["order_id"], row["email_id"]): (row["status"], row["message_id"], row["reason"]) for row in rows
    } == said.deliveries()
    names = ("state", "total_cents", "number", "email_state", "submitted_at", "promotion_code")
    assert {row["order_id"]: tuple(row[name] for name in names) for row in world.rows(orders)} == said.summaries()


def test_all_reports_agree_with_a_recomputation_from_the_log(world: World) -> None:
    numbers = count(1, 100)
    world.append(promotion_events())

    @settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
    @given(WISHES)
    def agree(wishes: list[Wish]) -> None:
        first = next(numbers)
        apart = [order_events(first + place, wish) for place, wish in enumerate(wishes)]
        world.append(list(interleaved(apart)))
        world.follow()
        require_agreement(world)

    agree()
    assert world.same_as_a_fresh_fold()


@pytest.fixture
def told(world: World) -> World:
    wishes = [Wish(ending, promotion=(None, 0, 1, 2)[n % 4], days=n % 4) for n, ending in enumerate(ENDINGS * 2)]
    world.append(promotion_events() + history(wishes))
    world.follow()
    return world


def test_pages_follow_one_another_without_a_gap(told: World) -> None:
    def paged(model: object, find: object, cursor: tuple[str, ...]) -> bool:
        whole = told.read(model, lambda connection: find(connection, EVERYTHING, ALL))  # type: ignore[arg-type, operator]
        found: list[object] = []
        after = None
        while True:
            page = Page(2, after)
            rows = told.read(model, lambda connection, p=page: find(connection, EVERYTHING, p))  # type: ignore[arg-type, operator]
            found += rows[:2]
            if len(rows) <= 2:
                return len(whole) > 2 and found == whole
            after = [rows[1][name] for name in cursor]

    assert paged(REVENUE, revenue_by_day, ("day",))
    assert paged(CONVERSION, conversion_by_day, ("day",))
    assert paged(PAYMENTS, find_payments, ("position",))
    assert paged(EMAIL_DELIVERIES, find_email_deliveries, ("position", "email_id"))
    assert paged(PROMOTIONS, find_promotions, ("code", "promotion_id"))
    assert paged(DIRECTORY_CHANGES, find_directory_changes, ("position",))
    assert paged(REVENUE, lambda c, span, page: revenue_by(c, PROMOTION, span, page), (PROMOTION,))


def test_a_span_has_its_first_instant_and_not_its_last(told: World) -> None:
    def days(span: Span) -> list[date]:
        return [row["day"] for row in told.read(REVENUE, lambda connection: revenue_by_day(connection, span, ALL))]

    def midnight(day: int) -> datetime:
        return datetime(2026, 11, day, tzinfo=UTC)

    every = days(EVERYTHING)
    assert date(2026, 11, 2) in every
    assert days(Span(midnight(2), midnight(3))) == [date(2026, 11, 2)]
    assert days(Span(end=midnight(3))) == [day for day in every if day < date(2026, 11, 3)]
    later = Span(start=START + timedelta(days=2))
    found = told.read(PAYMENTS, lambda connection: find_payments(connection, later, ALL))
    assert found
    assert all(row["attempted_at"] >= later.start for row in found)


def test_lists_are_filtered(told: World) -> None:
    declined = told.read(PAYMENTS, lambda c: find_payments(c, EVERYTHING, ALL, state="declined"))
    failed = told.read(EMAIL_DELIVERIES, lambda c: find_email_deliveries(c, EVERYTHING, ALL, status="failed"))
    take25 = told.read(DIRECTORY_CHANGES, lambda c: find_directory_changes(c, EVERYTHING, ALL, promotion_code="take25"))
    assert {row["state"] for row in declined} == {"declined"}
    assert {row["status"] for row in failed} == {"failed"}
    assert [(row["change"], row["designation"]) for row in take25] == [("changed", "agent"), ("created", None)]


def test_reasons_are_counted_over_the_span(told: World) -> None:
    found = told.read(CONVERSION, lambda connection: conversion_totals(connection, EVERYTHING))
    assert found["totals"]["requested"] == len(ENDINGS) * 2
    assert {row["reason"] for row in found["reasons"] if row["step"] == "refused"} == {"past-its-last-day"}
    open_ones = sum(not order.has_ended for order in Reports(told.log).orders.values())
    assert open_ones > 0
    assert sum(row["orders"] for row in found["reasons"]) + found["totals"]["submitted"] + open_ones == len(ENDINGS) * 2


def test_every_table_is_written_by_some_history(told: World) -> None:
    for model in (PAYMENTS, EMAIL_DELIVERIES, PROMOTIONS, REVENUE, DIRECTORY_CHANGES, CONVERSION):
        for table in model.tables:
            count_rows = sa.select(sa.func.count()).select_from(table)
            assert told.read(model, lambda c, q=count_rows: c.execute(q).scalar_one()), table.name

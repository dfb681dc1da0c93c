"""The log replayed as it was then: states, sums computed again, and deliberate mismatches found at the right event."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import fields
from typing import Any
from uuid import UUID

import pytest
from typer.testing import CliRunner

from api import bootstrap
from api.cli import app
from api.settings import Settings
from application.adapters.recorders.migrations import migrate
from application.audit import checking, facts
from application.audit.checking import LogCheck
from application.audit.replaying import Cut, replay_log
from application.audit.replaying_order import OrderReplay, replay_order
from application.stored_events import CODEC
from domain.duplicate_window import DuplicateWindow
from domain.order import Order
from domain.promotion import Promotion, PromotionRedemption
from domain.stream import Stream
from tests.application.audit.stories import Stories, every_ending, execute, opened_scan, restore, tamper
from tests.projections.world import append

Change = Callable[[dict[str, Any]], None]


def stored(url: str, log: Stories) -> None:
    asyncio.run(migrate(url))
    append(url, log.events)


def replayed(url: str, cut: Cut | None = None) -> LogCheck:
    with opened_scan(url) as scan:
        return replay_log(scan, CODEC.topics, cut or Cut(), lambda _: None)


def replayed_order(url: str, order: Order, cut: Cut | None = None) -> OrderReplay | None:
    with opened_scan(url) as scan:
        return replay_order(scan, CODEC, order.id, cut or Cut())


def first(url: str) -> tuple[int, str]:
    """Where the first difference is, and which check found it."""
    found = replayed(url).first
    assert found is not None
    return found.position, found.check


def setting(name: str, value: Any) -> Change:
    return lambda state: state.update({name: value})


# --- all is well ------------------------------------------------------------------------------------------------------


def test_a_log_with_every_ending_agrees_with_itself(database_url: str) -> None:
    log = every_ending()
    stored(database_url, log)

    check = replayed(database_url)

    assert (check.mismatches, check.first) == (0, None)
    assert (check.events, check.orders) == (len(log.events), 13)
    assert {state: number for state, number in check.states.items() if number} == {
        "submitted": 4, "refused": 4, "declined": 1, "payment_held": 1, "payment_expired": 1,
        "voided": 1, "refunded": 1,
    }  # fmt: skip
    assert check.charged_cents - check.kept_cents == 31_000 + 28_000  # voided in full, refunded less the promotion


def test_every_order_of_it_agrees_by_itself_with_the_totals_that_follow_from_its_lines(database_url: str) -> None:
    log = every_ending()
    stored(database_url, log)
    orders = {event.originator_id for event in log.events if isinstance(event, Order.Requested)}

    for order_id in orders:
        found = replayed_order(database_url, Order.empty(order_id))
        assert found is not None
        assert found.consistent, found.mismatches
        assert all(total.recorded_cents == total.recomputed_cents for total in found.totals), found.totals


def test_at_every_position_the_log_up_to_there_agrees(sqlite_url: str) -> None:
    log = every_ending()
    stored(sqlite_url, log)

    for position in range(len(log.events) + 1):
        check = replayed(sqlite_url, Cut(position=position))
        assert check.mismatches == 0, (position, check.first)
        assert check.position >= position


def test_a_forgotten_stream_is_looked_up_again_when_something_comes(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = every_ending()
    stored(database_url, log)
    monkeypatch.setattr(checking, "MOST_KEPT", 3)
    monkeypatch.setattr("application.audit.replaying.PAGE", 5)

    check, kept = replayed(database_url), replayed(database_url).streams

    assert check.mismatches == 0, check.shown
    assert check.events == len(log.events)
    assert len(kept) < 20 < len({event.originator_id for event in log.events})


# --- as it was then ---------------------------------------------------------------------------------------------------


def test_an_order_is_shown_as_it_was_recorded_at_a_position_and_at_an_instant(database_url: str) -> None:
    log = Stories()
    guards = log.order(1, ending="unknown")
    unknown_at = log.now
    log.later(30)
    log.end(guards, "found")
    stored(database_url, log)
    intent = log.position(guards.order, Order.PaymentAttempted)

    def state(cut: Cut) -> Any:
        found = replayed_order(database_url, guards.order, cut)
        return found and (found.order["state"], found.order["payment"]["state"])

    assert state(Cut(position=intent)) == ("payment_open", "attempted")
    assert state(Cut(at=unknown_at)) == ("payment_open", "unknown")
    assert state(Cut()) == ("submitted", "charged")
    assert state(Cut(position=0)) is None


def test_a_position_within_a_commit_stands_for_the_whole_commit(database_url: str) -> None:
    log = Stories()
    guards = log.order(1)
    stored(database_url, log)
    charge = log.position(guards.order, Order.PaymentCharged)

    found = replayed_order(database_url, guards.order, Cut(position=charge))

    assert found is not None
    assert (found.order["state"], found.consistent) == ("submitted", True)
    assert replayed(database_url, Cut(position=charge)).position == log.position(guards.order, DuplicateWindow.Closed)


def test_the_personal_data_of_the_order_stays_out(sqlite_url: str) -> None:
    log = Stories()
    guards = log.order(1)
    stored(sqlite_url, log)

    found = replayed_order(sqlite_url, guards.order)

    assert found is not None
    assert found.order["client"] == {"id": 11}


# --- mismatches -------------------------------------------------------------------------------------------------------

ALTERED: list[tuple[type[Stream.Event], Change, str]] = [
    (Order.Requested, setting("subtotal_cents", 30_000), "subtotal"),
    (Order.Requested, lambda state: state["lines"][0].update(base_price_cents=18_400), "subtotal"),
    (Order.PromotionApplied, setting("discounts_cents", [1851, 1249]), "discount-split"),
    (Order.PromotionApplied, setting("discount_cents", 3_000), "discount"),
    (Order.PromotionApplied, setting("total_cents", 27_000), "total"),
    (Order.PromotionApplied, setting("percent_off", 20), "promotion-terms"),
    (Order.PromotionApplied, setting("promotion_version", 9), "promotion-known"),
    (Order.PaymentAttempted, setting("amount_cents", 1), "amount"),
    (Order.PaymentCharged, setting("amount_cents", 27_901), "amount"),
    (Order.Submitted, setting("total_cents", 27_901), "total"),
    (Order.VoidRequested, setting("amount_cents", 1), "amount"),
    (Order.PaymentVoided, setting("amount_cents", 1), "amount"),
    (PromotionRedemption.Reserved, setting("order_id", str(UUID(int=9))), "guard-of-order"),
    (DuplicateWindow.Closed, setting("outcome", "declined"), "window-blocks"),
    (Order.Submitted, lambda state: state.pop("total_cents"), "readable"),
]  # fmt: skip


def test_an_altered_event_is_named_at_its_position(database_url: str) -> None:
    log = Stories()
    log.promotion("SPRING10", percent_off=10)
    guards = log.order(1, promotion="SPRING10")
    log.taken_back(guards)
    stored(database_url, log)
    assert replayed(database_url).mismatches == 0

    for event_class, change, check in ALTERED:
        position = log.position(guards.order, event_class)
        before = tamper(database_url, position, change)
        assert first(database_url) == (position, check)
        found = replayed_order(database_url, guards.order) if check != "readable" else None
        if check not in ("readable", "guard-of-order"):
            assert found is not None
            assert found.mismatches[0].position == position
        restore(database_url, position, before)


@pytest.mark.parametrize("state", [b'{"actor":"\xff"}', b'{"actor":' + b"[" * 5_000, b"\xff"])
def test_what_is_no_text_or_nested_without_end_is_named_like_any_other_broken_state(
    sqlite_url: str, state: bytes
) -> None:
    log = Stories()
    guards = log.order(1)
    stored(sqlite_url, log)
    position = log.position(guards.order, Order.Submitted)

    restore(sqlite_url, position, state)

    assert first(sqlite_url) == (position, "readable")


def test_changed_terms_of_a_promotion_are_found_at_the_order_that_applied_them(database_url: str) -> None:
    log = Stories()
    log.promotion("SPRING10", percent_off=10)
    guards = log.order(1, promotion="SPRING10")
    stored(database_url, log)
    created = next(n for n, event in enumerate(log.events, start=1) if isinstance(event, Promotion.Created))

    tamper(database_url, created, setting("percent_off", 15))

    assert first(database_url) == (log.position(guards.order, Order.PromotionApplied), "promotion-terms")


def test_terms_that_were_superseded_long_before_are_found(sqlite_url: str) -> None:
    log = Stories()
    old = log.promotion("SPRING10", percent_off=10)
    log.promotion("SPRING10", percent_off=5)
    log.later(30)
    log.order(1, promotion=old)  # a directory that was read a moment before
    log.later(60)
    late = log.order(2, user="user:2", promotion=old)
    stored(sqlite_url, log)

    assert first(sqlite_url) == (log.position(late.order, Order.PromotionApplied), "promotion-current")


@pytest.mark.parametrize("missing", [Order.PaymentAttempted, Order.PaymentCharged, DuplicateWindow.Opened])
def test_a_deleted_event_leaves_a_gap(sqlite_url: str, missing: type[Stream.Event]) -> None:
    log = Stories()
    guards = log.order(1)
    stored(sqlite_url, log)
    gone = log.position(guards.order, missing)
    follower = next(
        n for n, event in enumerate(log.events, start=1) if n > gone and _follows(event, log.events[gone - 1])
    )

    execute(sqlite_url, "DELETE FROM stored_events WHERE notification_id = {0}", (gone,))

    assert follower in {mismatch.position for mismatch in replayed(sqlite_url).shown if mismatch.check == "versions"}


def _follows(event: Stream.Event, gone: Stream.Event) -> bool:
    return event.originator_id == gone.originator_id


def test_a_second_charge_of_an_order_is_found(sqlite_url: str) -> None:
    log = Stories()
    order = log.order(1).order
    assert order.payment is not None
    order.record(
        log.by("user:1"), Order.PaymentCharged, transaction_id="60002", authorization_code="1", amount_cents=31_000,
        codes=order.payment.codes, found_by="answer",
    )  # fmt: skip
    log.events += order.collect_events()  # type: ignore[arg-type]
    stored(sqlite_url, log)

    assert first(sqlite_url) == (len(log.events), "one-charge")


def test_a_charge_without_a_submitted_order_is_found_at_the_end(sqlite_url: str) -> None:
    log = Stories()
    log.order(1)
    stored(sqlite_url, log)
    execute(sqlite_url, "DELETE FROM stored_events WHERE topic = {0}", ("order.submitted.v1",))

    assert "submitted-iff-paid" in {mismatch.check for mismatch in replayed(sqlite_url).shown}


def test_two_uses_of_a_promotion_by_one_user_are_found_whatever_streams_they_are_in(sqlite_url: str) -> None:
    log = Stories()
    log.promotion("SPRING10", percent_off=10)
    log.order(1, user="user:1", promotion="SPRING10")
    second = log.order(2, user="user:2", promotion="SPRING10")
    stored(sqlite_url, log)
    position = log.position(second.order, PromotionRedemption.Reserved)

    tamper(sqlite_url, position, setting("holder", "user:1"))

    assert first(sqlite_url) == (position, "one-use")


def test_the_same_thing_paid_twice_within_its_window_is_found(sqlite_url: str) -> None:
    log = Stories()
    log.order(1)
    log.later(200)
    second = log.order(1)
    stored(sqlite_url, log)
    closed = next(n for n, event in enumerate(log.events, start=1) if isinstance(event, DuplicateWindow.Closed))

    tamper(sqlite_url, closed, setting("blocked_until", "2026-11-03T00:00:00Z"))

    assert first(sqlite_url) == (log.position(second.order, DuplicateWindow.Opened), "window")


@pytest.mark.parametrize("refund", [False, True])
def test_a_charge_that_is_taken_back_a_second_time_is_found(sqlite_url: str, refund: bool) -> None:
    log = Stories()
    guards = log.order(1)
    log.taken_back(guards, refund=refund)
    order = guards.order
    assert order.payment is not None
    facts_of_it: dict[str, Any] = {"transaction_id": order.payment.transaction_id, "amount_cents": 31_000}
    if refund:
        order.record(log.by("system:corrections"), Order.PaymentRefunded, refund_transaction_id="80002", **facts_of_it)
    else:
        order.record(log.by("system:corrections"), Order.PaymentVoided, **facts_of_it)
    log.events += order.collect_events()  # type: ignore[arg-type]
    stored(sqlite_url, log)

    assert first(sqlite_url) == (len(log.events), "correction-asked")


@pytest.mark.parametrize("promotion", [None, "GIFT"])
def test_a_yes_that_blocks_nothing_is_found(sqlite_url: str, promotion: str | None) -> None:
    log = Stories()
    log.promotion("GIFT", percent_off=100)
    guards = log.order(1, promotion=promotion)
    stored(sqlite_url, log)
    closed = log.position(guards.order, DuplicateWindow.Closed)
    recorded = log.events[closed - 1].timestamp

    tamper(sqlite_url, closed, setting("blocked_until", recorded.isoformat().replace("+00:00", "Z")))

    assert first(sqlite_url) == (closed, "window-blocks")


# --- the facts --------------------------------------------------------------------------------------------------------


def test_facts_have_the_names_that_the_events_have() -> None:
    for event_class, shape in facts._OF_EVENT.items():
        assert set(shape.__struct_fields__) <= {field.name for field in fields(event_class)}, event_class


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_exits_with_1_and_names_the_first_difference(sqlite_url: str) -> None:
    log = Stories()
    guards = log.order(1)
    stored(sqlite_url, log)
    charge = log.position(guards.order, Order.PaymentCharged)
    tamper(sqlite_url, charge, setting("amount_cents", 1))
    settings = {"ORDERS_DATABASE_URL": sqlite_url}

    for arguments in (["audit", "replay"], ["audit", "replay", str(guards.order.id)]):
        result = CliRunner().invoke(app, arguments, env=settings, catch_exceptions=False)
        assert result.exit_code == 1
        assert f"the first: position {charge}, order.payment-charged.v1" in result.stdout
        assert "amount: recorded 1 cents, expected 31000 cents" in result.stdout
    before = CliRunner().invoke(app, ["audit", "replay", "--at", str(charge - 1), "--json"], env=settings)
    assert (before.exit_code, json.loads(before.stdout)["mismatches"]) == (0, 0)


def test_the_command_takes_an_order_by_its_id_and_by_its_short_number(sqlite_url: str) -> None:
    log = Stories()
    order = log.order(1).order
    settings = {"ORDERS_DATABASE_URL": sqlite_url}
    asyncio.run(bootstrap.migrate(Settings(database_url=sqlite_url)))
    append(sqlite_url, log.events)

    found = [CliRunner().invoke(app, ["audit", "replay", name], env=settings) for name in (str(order.id), order.number)]
    nobody = CliRunner().invoke(app, ["audit", "replay", "NOBODYS"], env=settings)

    assert [result.exit_code for result in found] == [0, 0]
    assert found[0].stdout == found[1].stdout
    assert nobody.exit_code == 2

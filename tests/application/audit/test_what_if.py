"""History replayed under another policy: what would have ended differently, and what nobody can know."""

from __future__ import annotations

import socket
import subprocess
import sys
from datetime import timedelta
from typing import Any, NoReturn

import pytest

from application.adapters.recorders.migrations import migrate
from application.audit.other_policy import BadPolicy, Difference, Findings, OtherPolicy, PromotionPolicy, Verdict
from application.audit.replaying import Cut, pages
from application.audit.what_if import WhatIf
from domain.duplicate_window import DuplicateWindow
from tests.application.audit.stories import START, Stories, every_ending, opened_scan
from tests.helpers import run
from tests.projections.world import append

FULL, TEN_OFF = 31_000, 27_900


def what_if(log: Stories, **policy: Any) -> Findings:
    replayed = WhatIf(OtherPolicy(**policy))
    replayed.page(log.rows())
    return replayed.findings()


def only(found: Findings) -> Difference:
    (difference,) = found.differences
    return difference


def promotion(code: str, policy: str) -> dict[str, Any]:
    return {"promotions": {code: PromotionPolicy.parse(policy)}}


def test_under_the_policy_that_held_nothing_differs() -> None:
    log = every_ending()

    assert what_if(log).differences == ()
    assert what_if(log, duplicate_window_s=120).differences == ()
    assert what_if(log, **promotion("SPRING10", "percent:10,uses:1")).differences == ()


def test_a_longer_window_refuses_what_was_paid_again_and_takes_its_charge_away() -> None:
    log = Stories()
    log.order(1)
    log.later(200)
    again = log.order(1)

    difference = only(what_if(log, duplicate_window_s=300))

    assert difference.order_id == again.order.id
    assert difference.kind == "refused-instead"
    assert difference.would == Verdict(FULL, "duplicate-payment", "just-paid")
    assert (difference.was_kept_cents, difference.delta_cents) == (FULL, -FULL)


def test_a_refusal_frees_the_order_after_it() -> None:
    """Three orders, 100 s apart each: under 150 s the second goes and the third may stay."""
    log = Stories()
    for _ in range(3):
        log.order(1)
        log.later(130)

    found = what_if(log, duplicate_window_s=200)

    assert [difference.kind for difference in found.differences] == ["refused-instead"]
    assert found.delta_cents == -FULL


def test_a_shorter_window_accepts_what_was_refused_and_only_the_bank_could_say_how_that_ended() -> None:
    log = Stories()
    log.order(1)
    log.later(60)
    refused = log.order(1)

    found = what_if(log, duplicate_window_s=30)

    difference = only(found)
    assert (difference.order_id, difference.kind) == (refused.order.id, "accepted-instead")
    assert (difference.delta_cents, found.delta_cents) == (None, 0)
    assert (found.undecided, found.at_stake_cents) == ((difference,), FULL)


def test_an_open_payment_blocks_under_every_window() -> None:
    log = Stories()
    log.order(1, ending="unknown")
    log.order(1)

    assert what_if(log, duplicate_window_s=0).differences == ()


def test_a_charge_found_later_goes_on_blocking_as_it_did() -> None:
    log = Stories()
    open_order = log.order(1, ending="unknown")
    log.later(30)
    log.end(open_order, "found")
    log.later(500)
    log.order(1)

    assert what_if(log, duplicate_window_s=10).differences == ()


def test_other_terms_change_totals_by_the_difference() -> None:
    log = Stories()
    log.promotion("SPRING10", percent_off=10)
    log.order(1, promotion="SPRING10")
    log.order(2)

    difference = only(what_if(log, **promotion("SPRING10", "percent:20")))
    assert (difference.kind, difference.would.total_cents, difference.delta_cents) == ("total-changes", 24_800, -3_100)
    amount = only(what_if(log, **promotion("SPRING10", "amount:1000")))
    assert (amount.was_kept_cents, amount.would_keep_cents) == (TEN_OFF, 30_000)


def test_a_decline_stays_one_unless_there_is_nothing_to_pay() -> None:
    log = Stories()
    log.promotion("SPRING10", percent_off=10)
    log.order(1, promotion="SPRING10", ending="declined")

    declined = only(what_if(log, **promotion("SPRING10", "percent:50")))
    assert (declined.delta_cents, declined.would.total_cents) == (0, 15_500)
    free = only(what_if(log, **promotion("SPRING10", "percent:100")))
    assert (free.delta_cents, free.would) == (0, Verdict(0))


def test_without_the_promotion_its_orders_would_have_been_refused() -> None:
    log = Stories()
    log.promotion("SPRING10", percent_off=10)
    log.order(1, promotion="SPRING10")

    difference = only(what_if(log, **promotion("SPRING10", "off")))

    assert difference.would == Verdict(FULL, "invalid-promotion", "inactive")
    assert difference.delta_cents == -TEN_OFF


def test_a_second_use_per_user_accepts_what_was_refused_and_no_third() -> None:
    log = Stories()
    log.promotion("SPRING10", percent_off=10)
    for home in (1, 2, 3):
        log.order(home, promotion="SPRING10")

    difference = only(what_if(log, **promotion("SPRING10", "uses:2")))

    assert difference.was == Verdict(FULL, "promotion-expended", "already-redeemed")
    assert difference.would == Verdict(TEN_OFF)
    assert difference.delta_cents is None


def test_an_order_that_was_free_then_and_is_not_now_is_for_the_bank_to_say() -> None:
    log = Stories()
    log.promotion("GIFT", percent_off=100)
    log.order(1, promotion="GIFT")

    found = what_if(log, **promotion("GIFT", "percent:50"))

    assert (only(found).delta_cents, found.at_stake_cents) == (None, 15_500)


def test_money_that_was_given_back_is_kept_in_neither_world() -> None:
    log = Stories()
    log.promotion("SPRING10", percent_off=10)
    log.taken_back(log.order(1, promotion="SPRING10"))

    assert only(what_if(log, **promotion("SPRING10", "percent:20"))).delta_cents == 0


def test_only_orders_of_the_span_are_decided_by_the_other_policy() -> None:
    log = Stories()
    log.promotion("SPRING10", percent_off=10)
    log.order(1, user="user:1", promotion="SPRING10")
    log.later(3600)
    second = log.order(2, user="user:2", promotion="SPRING10")

    found = what_if(log, since=START + timedelta(minutes=30), **promotion("SPRING10", "percent:20"))

    assert only(found).order_id == second.order.id
    assert found.orders == 1


@pytest.mark.parametrize(
    "text", ["", "percent:0", "percent:101", "percent:x", "amount:-1", "off:1", "uses:0", "percent:5,amount:5"]
)
def test_a_policy_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(BadPolicy):
        PromotionPolicy.parse(text)


def test_no_socket_can_be_opened_while_history_is_replayed(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    log = every_ending()
    run(migrate(sqlite_url))
    append(sqlite_url, log.events)

    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("somebody opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    with opened_scan(sqlite_url) as scan:
        replayed = WhatIf(OtherPolicy(duplicate_window_s=0, **promotion("SPRING10", "uses:5")))
        for rows in pages(scan, Cut(), scan.head()):
            replayed.page(rows)

    assert {difference.kind for difference in replayed.findings().differences} == {"accepted-instead"}


def test_no_adapter_is_within_its_reach() -> None:
    """Whatever it imports, directly or not, is in this program's memory; nothing that could reach a vendor is."""
    program = (
        "import sys, application.audit.what_if;"
        "reach = ('application.adapters', 'application.ports', 'aiohttp', 'sqlalchemy', 'requests', 'authorizenet');"
        "print([name for name in sys.modules if name.startswith(reach)])"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)

    assert found.stdout.strip() == "[]"


def test_a_window_that_was_set_otherwise_holds_as_it_did_also_for_a_first_free_order() -> None:
    log = Stories()
    log.promotion("GIFT", percent_off=100)
    first = log.order(1, promotion="GIFT")
    for event in log.events:
        if isinstance(event, DuplicateWindow.Closed):
            event.__dict__["blocked_until"] = event.timestamp + timedelta(seconds=10)
            first.window.blocked_until = event.blocked_until
    log.later(60)
    log.order(1)

    assert what_if(log).differences == ()

"""Money, times, ids and states, as every page writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from api.pages import formatting
from api.pages.orders.snapshot import label, written
from domain.order_events import EmailState, OrderState
from domain.payment import PaymentState

AT = datetime(2026, 11, 23, 15, 31, 5, 123_456, UTC)


@pytest.mark.parametrize(
    ("cents", "shown"),
    [(0, "$0.00"), (5, "$0.05"), (18_500, "$185.00"), (123_456_789, "$1,234,567.89"), (-1, "−$0.01"), (None, "—")],
)
def test_money_is_dollars_with_two_places(cents: int | None, shown: str) -> None:
    assert formatting.money(cents) == shown


def test_money_of_another_currency_names_it() -> None:
    assert formatting.money(-150_000, "EUR") == "−1,500.00 EUR"


def test_a_time_says_its_zone_and_holds_the_exact_instant() -> None:
    exact = "2026-11-23T15:31:05.123456Z"
    shown = f'<time datetime="{exact}" title="{exact}">2026-11-23 15:31:05 UTC</time>'

    assert formatting.time(AT) == shown
    assert formatting.time(exact) == shown
    assert formatting.time(AT.astimezone(timezone(timedelta(hours=-7)))) == shown
    assert ">15:31:05.123 UTC<" in formatting.clock_time(AT)
    assert formatting.time(None) == "—"


def test_a_day_is_that_of_utc() -> None:
    assert formatting.day(date(2026, 11, 23)) == "2026-11-23"
    assert formatting.day(datetime(2026, 11, 23, 20, tzinfo=timezone(timedelta(hours=-7)))) == "2026-11-24"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0, "0 ms"),
        (0.0234, "23 ms"),
        (0.9996, "1 s"),
        (1.25, "1.25 s"),
        (60, "1 min"),
        (125, "2 min 5 s"),
        (3600 * 3 + 1200, "3 h 20 min"),
        (86400 * 4 + 7200, "4 d 2 h"),
        (None, "—"),
    ],
)
def test_a_duration_has_two_units_at_most(seconds: float | None, shown: str) -> None:
    assert formatting.duration(seconds) == shown


def test_an_id_is_cut_only_where_asked_and_is_whole_in_its_title() -> None:
    assert formatting.identifier("abcdef") == '<code class="id" title="abcdef">abcdef</code>'
    assert formatting.identifier("abcdef", 3) == '<code class="id" title="abcdef">abc…</code>'
    assert "&lt;b&gt;" in formatting.identifier("<b>")


@pytest.mark.parametrize("state", [*OrderState, *EmailState, *PaymentState])
def test_every_state_is_a_shape_and_words(state: str) -> None:
    shown = formatting.state(state)

    assert any(shape in shown for shape in "●◐▲■○")
    assert "_" not in formatting.words(state)


def test_values_of_the_log_are_written_with_their_unit() -> None:
    lines = [{"slug": "photos", "quantity": 15, "base_price_cents": 18_500}]

    assert label("lines[0].base_price_cents") == "lines[0] base price"
    assert written("lines", lines) == "slug photos, quantity 15, base price $185.00"
    assert written("blocked_s", 120) == "2 min"
    assert written("blocked_until", "2026-11-23T15:31:05Z") == "2026-11-23 15:31:05 UTC"
    assert written("is_open", False) == "no"
    assert written("discount_cents", 0) == "$0.00"
    nothing: list[Any] = [None, "", [], {}]
    assert {written("x", empty) for empty in nothing} == {"—"}


def test_no_two_tones_share_a_shape() -> None:
    assert len(set(formatting._SHAPES.values())) == len(formatting._SHAPES)
    assert set(formatting._TONES.values()) < set(formatting._SHAPES)

"""Ranges of days: what a URL asks for, and the periods that it is shown in."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pages.spans import MAX_DAYS, PERIODS, WrongRange, presets, range_of

TODAY = date(2026, 11, 23)


def test_without_a_range_the_last_thirty_days_are_shown_by_day() -> None:
    found = range_of({}, TODAY)

    assert (found.first, found.last, found.per) == (date(2026, 10, 25), TODAY, "day")
    assert len(found.periods()) == 30


def test_long_ranges_are_shown_by_week_and_by_month() -> None:
    assert range_of({"from": "2026-01-01"}, TODAY).per == "week"
    assert range_of({"from": "2024-06-01"}, TODAY).per == "month"
    assert range_of({"from": "2026-01-01", "per": "month"}, TODAY).per == "month"


@pytest.mark.parametrize(
    "params",
    [
        {"from": "yesterday"},
        {"from": "2026-13-01"},
        {"to": "0001-01-01"},
        {"from": "2026-11-24", "to": "2026-11-23"},
        {"from": "2020-01-01"},
        {"per": "hour"},
        {"from": "2025-01-01", "per": "day"},
    ],
)
def test_a_range_that_cannot_be_shown_is_refused(params: dict[str, str]) -> None:
    with pytest.raises(WrongRange):
        range_of(params, TODAY)


@given(st.dates(date(2000, 1, 1), date(2040, 1, 1)), st.integers(0, MAX_DAYS - 1), st.sampled_from(PERIODS))
def test_every_day_of_a_range_lies_in_one_of_its_periods(first: date, more: int, per: str) -> None:
    params = {"from": str(first), "to": str(first + timedelta(days=more)), "per": per}
    if per == "day" and more >= 400:
        return
    found = range_of(params, TODAY)

    periods = found.periods()
    assert periods == sorted(set(periods))
    days = [found.days_of(period) for period in periods]
    assert (days[0][0], days[-1][1]) == (found.first, found.last)
    assert all(ends + timedelta(days=1) == begins for (_, ends), (begins, _) in pairwise(days))
    assert {found.period_of(first + timedelta(days=number)) for number in range(more + 1)} == set(periods)


@given(st.dates(date(2001, 1, 1), date(2040, 1, 1)))
def test_the_usual_ranges_exist_on_every_day(today: date) -> None:
    for _, found in presets(today):
        assert found.first <= found.last <= today

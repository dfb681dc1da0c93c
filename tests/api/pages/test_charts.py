"""Charts: axes that can be read, marks that are where their figures say, and no way in for hostile names."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pages.charts import (
    BOTTOM,
    HEIGHT,
    TOP,
    WIDTH,
    Chart,
    Look,
    Scale,
    Series,
    Unit,
    bar_chart,
    column_chart,
    describe,
    round_ticks,
)
from api.pages.formatting import money

DOLLARS = Unit("US dollars", money)
SVG = "{http://www.w3.org/2000/svg}"

figures = st.integers(-(10**13), 10**13)
labels = st.text(st.characters(min_codepoint=32, max_codepoint=0xD7FF), min_size=1, max_size=50)


@given(figures, figures, st.integers(3, 12))
def test_ticks_stand_on_round_numbers_and_cover_the_figures(one: int, other: int, most: int) -> None:
    ticks = round_ticks(min(one, other), max(one, other), most)

    assert 2 <= len(ticks) <= most
    assert ticks[0] <= min(one, other, 0)
    assert ticks[-1] >= max(one, other, 0)
    assert 0 in ticks
    (step,) = {after - before for before, after in pairwise(ticks)}
    assert str(step).rstrip("0") in {"1", "2", "5"}


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 0, (0, 1)),
        (0, 1, (0, 1)),
        (0, 7, (0, 2, 4, 6, 8)),
        (0, 18500, (0, 5000, 10000, 15000, 20000)),
        (-300, 900, (-500, 0, 500, 1000)),
        (-7, 0, (-8, -6, -4, -2, 0)),
    ],
)
def test_ticks_are_those_that_a_person_would_draw(low: int, high: int, ticks: tuple[int, ...]) -> None:
    assert round_ticks(low, high) == ticks


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(-(10**9), 0)), min_size=1, max_size=60))
def test_columns_are_as_high_as_their_figures_and_stay_in_the_picture(rows: list[tuple[int, int]]) -> None:
    charged, returned = zip(*rows, strict=True)
    names = [f"day {number}" for number in range(len(rows))]

    chart = column_chart(
        "c", "Revenue", names, [Series("Charged", charged), Series("Returned", returned, Look.HATCHED)], DOLLARS
    )

    ticks = round_ticks(min(returned), max(charged))
    unit = Scale(ticks, HEIGHT - BOTTOM, TOP)
    marks = {rect.findtext(f"{SVG}title"): rect for rect in _rects(chart)}
    for name, value in zip(names, charged, strict=True):
        if value:
            rect = marks[f"{name}, Charged: {money(value)}"]
            assert abs(float(rect.get("height", "")) - (unit.at(0) - unit.at(value))) < 0.11
            assert 0 <= float(rect.get("y", "")) <= HEIGHT
    for rect in _rects(chart):
        assert 0 <= float(rect.get("x", "0")) <= WIDTH
        assert float(rect.get("x", "0")) + float(rect.get("width", "")) <= WIDTH


@given(st.lists(st.tuples(labels, figures), min_size=1, max_size=20))
def test_any_name_is_text_and_never_markup(rows: list[tuple[str, int]]) -> None:
    chart = bar_chart("b", "Revenue by <service>", rows, DOLLARS)

    root = ElementTree.fromstring(chart.svg)
    told = [title.text for title in root.iter(f"{SVG}title")]
    for name, value in rows:
        assert f"{name}: {money(value)}" in told
    assert "script" not in {element.tag.removeprefix(SVG) for element in root.iter()}


def test_a_hostile_name_stays_text() -> None:
    chart = bar_chart("b", "x", [('"><script>alert(1)</script>', 5)], DOLLARS)

    assert "<script" not in chart.svg


def test_a_chart_says_what_it_shows_to_those_who_cannot_see_it() -> None:
    chart = column_chart("c", "Revenue by day", ["1 Nov", "2 Nov"], [Series("Charged", [100, 250])], DOLLARS)

    root = ElementTree.fromstring(chart.svg)
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "c-title c-desc"
    assert root.findtext(f"{SVG}title") == "Revenue by day"
    assert root.findtext(f"{SVG}desc") == (
        "1 Nov to 2 Nov, 2 in all, in US dollars. Charged: $3.50 together, largest for 2 Nov with $2.50."
    )


def test_a_chart_of_nothing_says_so() -> None:
    assert describe([], [Series("Charged", [])], DOLLARS) == "Nothing to show."
    assert ElementTree.fromstring(column_chart("c", "Revenue", [], [Series("Charged", [])], DOLLARS).svg) is not None


def test_series_can_be_told_apart_without_colour() -> None:
    chart = column_chart(
        "c", "x", ["a"], [Series("A", [1]), Series("B", [2], Look.HATCHED), Series("C", [3], Look.OUTLINE)], DOLLARS
    )

    assert {rect.get("class") for rect in _rects(chart)} == {
        "chart-solid", "chart-hatched", "chart-outline", "chart-hatch-ground",
    }  # fmt: skip


def _rects(chart: Chart) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(chart.svg).iter(f"{SVG}rect"))

"""CSV: what comes out is what went in, and no cell is a formula."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pages.csv_files import _chunks, safe_cell
from api.pages.reports.shape import decimal_text


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "  =1", "\r=1", "\ufeff=1"])
def test_text_that_looks_like_a_formula_is_told_to_be_text(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


def test_figures_stay_figures_and_nothing_is_empty() -> None:
    assert [safe_cell(value) for value in (-5, 0, "SPRING10", None)] == [-5, 0, "SPRING10", ""]


@pytest.mark.parametrize("cents", [-123_450, -5, 0, 18_500])
def test_an_amount_is_a_number_for_every_spreadsheet_also_below_zero(cents: int) -> None:
    assert safe_cell(decimal_text(cents)) == decimal_text(cents)
    assert float(str(safe_cell(decimal_text(cents)))) == cents / 100


@pytest.mark.parametrize("text", ["-1234.50+1", "-1\n", "-1.", "--1", "-1234.50 ", "-١"])
def test_what_only_begins_like_an_amount_is_text(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@given(st.lists(st.lists(st.one_of(st.integers(), st.text(st.characters(codec="utf-8"))), min_size=2, max_size=2)))
def test_rows_can_be_read_back(rows: list[list[object]]) -> None:
    text = "".join(_chunks(["a", "b"], rows))

    read = list(csv.reader(io.StringIO(text, newline="")))
    assert read == [["a", "b"], *[[str(safe_cell(value)) for value in row] for row in rows]]

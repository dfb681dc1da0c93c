"""CSV: what comes out is what went in, and no cell is a formula."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pages.csv_files import _chunks, safe_cell


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "  =1", "\r=1", "\ufeff=1"])
def test_text_that_looks_like_a_formula_is_told_to_be_text(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


def test_figures_stay_figures_and_nothing_is_empty() -> None:
    assert [safe_cell(value) for value in (-5, 0, "SPRING10", None)] == [-5, 0, "SPRING10", ""]


@given(st.lists(st.lists(st.one_of(st.integers(), st.text(st.characters(codec="utf-8"))), min_size=2, max_size=2)))
def test_rows_can_be_read_back(rows: list[list[object]]) -> None:
    text = "".join(_chunks(["a", "b"], rows))

    read = list(csv.reader(io.StringIO(text, newline="")))
    assert read == [["a", "b"], *[[str(safe_cell(value)) for value in row] for row in rows]]

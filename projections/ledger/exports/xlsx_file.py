"""XLSX: one row per posting, a new sheet before Excel's limit of rows. Cells are text or numbers, never formulas."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import xlsxwriter

from projections.ledger.exports.journal import Entry
from projections.ledger.exports.tabular import COLUMNS, CREDIT, DEBIT, records

SHEET_ROWS = 1_000_000  # of 1,048,576 that a sheet may have
_MADE_AT = datetime(2000, 1, 1, tzinfo=UTC)  # the same in every file: equal journals make equal bytes
_WIDTHS = {"recorded_at": 27, "effective_at": 27, "account": 42, "item": 14, "topic": 34, "stream_id": 38, "rule": 26}


class XlsxWriter:
    """Writes row by row to temporary files, which become the workbook in the end."""

    def __init__(self, file: Path, accounts: Sequence[tuple[str, date]]) -> None:
        self._book = xlsxwriter.Workbook(str(file), {"constant_memory": True})
        self._book.set_properties({"title": "Journal", "created": _MADE_AT.replace(tzinfo=None)})
        self._money = self._book.add_format({"num_format": "0.00"})
        self._bold = self._book.add_format({"bold": True})
        self._sheets = 0
        self._new_sheet()

    def add(self, entry: Entry) -> None:
        if self._row + len(entry.postings) > SHEET_ROWS:
            self._new_sheet()
        for record in records(entry):
            cells: Iterable[str | int] = record
            for column, value in enumerate(cells):
                if not value:
                    continue  # no item, or nothing on that side
                if isinstance(value, str):
                    self._sheet.write_string(self._row, column, value)
                elif column in (DEBIT, CREDIT):
                    self._sheet.write_number(self._row, column, Decimal(value).scaleb(-2), self._money)
                else:
                    self._sheet.write_number(self._row, column, value)
            self._row += 1

    def close(self) -> None:
        self._book.close()

    def _new_sheet(self) -> None:
        self._sheets += 1
        self._sheet = self._book.add_worksheet("Journal" if self._sheets == 1 else f"Journal {self._sheets}")
        self._sheet.freeze_panes(1, 0)
        for column, name in enumerate(COLUMNS):
            self._sheet.set_column(column, column, _WIDTHS.get(name, 12))
        self._sheet.write_row(0, 0, COLUMNS, self._bold)
        self._row = 1

"""CSV (RFC 4180): UTF-8, a header, one row per posting."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from projections.ledger.exports.journal import Entry, amount_text
from projections.ledger.exports.tabular import COLUMNS, CREDIT, DEBIT, records


class CsvWriter:
    """Empty: no item, or nothing on that side."""

    def __init__(self, file: Path, accounts: Sequence[tuple[str, date]]) -> None:
        self._file = file.open("w", encoding="utf-8", newline="")
        self._csv = csv.writer(self._file)
        self._csv.writerow(COLUMNS)

    def add(self, entry: Entry) -> None:
        for record in records(entry):
            row: list[object] = list(record)
            row[DEBIT] = amount_text(record.debit) if record.debit else ""
            row[CREDIT] = amount_text(record.credit) if record.credit else ""
            self._csv.writerow(row)

    def close(self) -> None:
        self._file.close()

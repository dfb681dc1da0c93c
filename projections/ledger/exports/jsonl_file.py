"""JSON Lines: one entry per line with its postings. Amounts are strings, so that no reader makes floats of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import msgspec

from projections.ledger.exports.journal import CURRENCY, Entry, amount_text, utc_text

_encode = msgspec.json.Encoder().encode


class JsonlWriter:
    """`amount` is signed: debit positive, credit negative."""

    def __init__(self, file: Path, accounts: Sequence[tuple[str, date]]) -> None:
        self._file = file.open("wb")

    def add(self, entry: Entry) -> None:
        lines = [
            {"account": account, "amount": amount_text(cents), "currency": CURRENCY, "item": item}
            for account, cents, item in entry.postings
        ]
        values = entry._asdict() | {
            "recorded_at": utc_text(entry.recorded_at),
            "effective_at": utc_text(entry.effective_at),
            "postings": lines,
        }
        self._file.write(_encode(values) + b"\n")

    def close(self) -> None:
        self._file.close()

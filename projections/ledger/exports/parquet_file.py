"""Parquet: one row per posting, in row groups; amounts are decimals, times are UTC timestamps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from projections.ledger.exports.journal import CURRENCY, Entry

GROUP_ROWS = 64_000
_DIGITS = 19  # as many as whole cents of 64 bits have
_TEXT, _TIME, _AMOUNT = pa.dictionary(pa.int32(), pa.string()), pa.timestamp("us", "UTC"), pa.decimal128(_DIGITS, 2)
_SCHEMA = pa.schema(
    {
        "position": pa.int64(),
        "line": pa.int32(),
        "period": _TEXT,
        "recorded_at": _TIME,
        "effective_at": _TIME,
        "account": _TEXT,
        "item": pa.string(),
        "debit": _AMOUNT,
        "credit": _AMOUNT,
        "currency": _TEXT,
        "rule": _TEXT,
        "rule_version": pa.int32(),
        "topic": _TEXT,
        "stream_id": pa.string(),
    }
)


class ParquetWriter:
    """`debit` and `credit` are zero on the other side; `item` is null where there is none."""

    def __init__(self, file: Path, accounts: Sequence[tuple[str, date]]) -> None:
        self._file = parquet.ParquetWriter(file, _SCHEMA, compression="zstd")
        self._rows: list[tuple[Any, ...]] = []

    def add(self, entry: Entry) -> None:
        about = (CURRENCY, entry.rule, entry.rule_version, entry.topic, str(entry.stream_id))
        self._rows += [
            (
                entry.position, line, entry.period, entry.recorded_at, entry.effective_at, account, item,
                max(cents, 0), max(-cents, 0), *about,
            )
            for line, (account, cents, item) in enumerate(entry.postings, start=1)
        ]  # fmt: skip
        if len(self._rows) >= GROUP_ROWS:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._file.close()

    def _flush(self) -> None:
        if self._rows:
            columns = zip(*self._rows, strict=True)
            arrays = [_column(field, values) for field, values in zip(_SCHEMA, columns, strict=True)]
            self._file.write_table(pa.Table.from_arrays(arrays, schema=_SCHEMA))
            self._rows = []


def _column(field: pa.Field, values: Sequence[Any]) -> pa.Array:
    if field.type != _AMOUNT:
        return pa.array(values, field.type)
    cents = pa.array(values, pa.int64()).cast(pa.decimal128(_DIGITS, 0))
    return pa.Array.from_buffers(_AMOUNT, len(cents), cents.buffers())  # the same digits, two of them after the point

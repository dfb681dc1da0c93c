"""Writes the journal to files: one pass over the entries for all formats, and a manifest in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from projections.ledger.balances import EVERYTHING, Selection
from projections.ledger.exports.journal import Writer, accounts_used, count_entries, read_entries
from projections.ledger.exports.manifest import NAME, Manifest, write_manifest

# Loaded when they are wanted: some of their libraries take a while.
_WRITERS = {
    "csv": ("csv_file", "CsvWriter", "journal.csv"),
    "xlsx": ("xlsx_file", "XlsxWriter", "journal.xlsx"),
    "parquet": ("parquet_file", "ParquetWriter", "journal.parquet"),
    "jsonl": ("jsonl_file", "JsonlWriter", "journal.jsonl"),
    "beancount": ("beancount_file", "BeancountWriter", "journal.beancount"),
    "hledger": ("hledger_file", "HledgerWriter", "journal.journal"),
}
FORMATS = tuple(_WRITERS)
REPORT_EVERY = 1_000  # entries

Report = Callable[[int, int], None]
"""Told how many entries were written, and how many there are; at the end once more."""


def export_journal(
    connection: sa.Connection,
    folder: Path,
    formats: Sequence[str],
    selection: Selection = EVERYTHING,
    report: Report | None = None,
) -> dict[str, Any]:
    """Write the selected entries to `folder`, which is made, in each of the FORMATS that are named; the manifest.

    Files of the same names are replaced once the new ones are complete. The connection's transaction should see one
    moment of the ledger. Equal selections of equal ledgers make equal bytes. Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / NAME).unlink(missing_ok=True)  # it never speaks of other files than those beside it
    accounts, manifest = accounts_used(connection, selection), Manifest(selection)
    files = {name: folder / _WRITERS[name][2] for name in formats}
    total = count_entries(connection, selection) if report else 0
    with _replaced(list(files.values())) as parts, ExitStack() as stack:
        writers = [_writer_of(name)(part, accounts) for name, part in zip(files, parts, strict=True)]
        for writer in writers:
            stack.callback(writer.close)
        for entry in stack.enter_context(closing(read_entries(connection, selection))):
            manifest.add(entry)
            for writer in writers:
                writer.add(entry)
            if report is not None and manifest.entries % REPORT_EVERY == 0:
                report(manifest.entries, total)
    if report is not None:
        report(manifest.entries, total)
    described = manifest.described(files)
    write_manifest(folder, described)
    return described


def _writer_of(name: str) -> type[Writer]:
    module, class_name, _ = _WRITERS[name]
    found: type[Writer] = getattr(import_module(f"projections.ledger.exports.{module}"), class_name)
    return found


@contextmanager
def _replaced(files: Sequence[Path]) -> Iterator[list[Path]]:
    """Files to write instead, which take the place of these once all are complete, or are removed."""
    parts = [file.with_name(f".{file.name}.part") for file in files]
    try:
        yield parts
        for part, file in zip(parts, files, strict=True):
            part.replace(file)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)

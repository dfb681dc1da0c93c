"""What the formats of plain-text accounting share: text lines, quoting, and the sums that end the file."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from pathlib import Path

from projections.ledger.exports.journal import Entry


class PlainText:
    """A file of lines that keeps the sums of its accounts and its last day, so that it can end with assertions: the
    tool that reads it then checks our sums."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("w", encoding="utf-8", newline="\n")
        self.sums: defaultdict[str, int] = defaultdict(int)
        self.last_day = date.min

    def write(self, *lines: str) -> None:
        self._file.write("\n".join(lines) + "\n")

    def count(self, entry: Entry) -> None:
        self.last_day = max(self.last_day, entry.day)
        for account, cents, _ in entry.postings:
            self.sums[account] += cents

    def close(self) -> None:
        self._file.close()

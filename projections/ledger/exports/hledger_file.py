"""hledger: https://hledger.org/hledger.html#journal. Ends with a balance assertion for every account.

Names of accounts are ours as they are, but for what the format gives a meaning to.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from projections.ledger.accounts import Kind, kind_of, meaning_of
from projections.ledger.exports.journal import CURRENCY, Entry, amount_text, utc_text
from projections.ledger.exports.plain_text import PlainText

_TYPES = {Kind.ASSETS: "A", Kind.LIABILITIES: "L", Kind.REVENUE: "R", Kind.EXPENSES: "X"}


class HledgerWriter:
    """A transaction per entry, on the day that it was recorded; position, rule and times are its tags."""

    def __init__(self, file: Path, accounts: Sequence[tuple[str, date]]) -> None:
        self._text = PlainText(file)
        self._text.write(f"commodity 1000.00 {CURRENCY}", "")
        for account, _ in accounts:
            kind = _TYPES[kind_of(account)]
            self._text.write(f"account {account_name(account)}  ; type:{kind}, meaning:{_tag(meaning_of(account))}")

    def add(self, entry: Entry) -> None:
        lines = [
            "",
            f"{entry.day} * ({entry.position}) {entry.rule}",
            f"    ; rule:{entry.rule}/{entry.rule_version}, event:{entry.topic}, stream:{entry.stream_id}",
            f"    ; recorded:{utc_text(entry.recorded_at)}, effective:{utc_text(entry.effective_at)}",
        ]
        for account, cents, item in entry.postings:
            tag = "" if item is None else f"  ; item:{_tag(item)}"
            lines.append(f"    {account_name(account)}  {amount_text(cents)} {CURRENCY}{tag}")
        self._text.write(*lines)
        self._text.count(entry)

    def close(self) -> None:
        if self._text.sums:
            self._text.write("", f"{self._text.last_day} * balances")
        for account, cents in sorted(self._text.sums.items()):
            sums = f"0.00 {CURRENCY} = {amount_text(cents)} {CURRENCY}"
            self._text.write(f"    {account_name(account)}  {sums}")
        self._text.close()


def account_name(account: str) -> str:
    """Two spaces would end the name, a semicolon would begin a comment; both are written as their code points."""
    return re.sub(r"[;%\s()\[\]]", lambda found: f"%{ord(found[0]):02X}", account)


def _tag(text: str) -> str:
    return re.sub(r"[,\s]+", " ", text)

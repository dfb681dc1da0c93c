"""Beancount: https://beancount.github.io/docs/beancount_language_syntax.html. Ends with a balance of every account."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from projections.ledger.accounts import CHART, Kind, kind_of, meaning_of
from projections.ledger.exports.journal import CURRENCY, Entry, amount_text, utc_text
from projections.ledger.exports.plain_text import PlainText

_ROOTS = {
    Kind.ASSETS: "Assets",
    Kind.LIABILITIES: "Liabilities",
    Kind.REVENUE: "Income",
    Kind.EXPENSES: "Expenses",
}
_USUAL = re.compile(r"[a-z0-9][a-z0-9_]*|[A-Z0-9][A-Z0-9-]*[A-Z][A-Z0-9-]*")  # slugs and codes as most are


class BeancountWriter:
    """A transaction per entry, on the day that it was recorded; position, rule and times are its metadata."""

    def __init__(self, file: Path, accounts: Sequence[tuple[str, date]]) -> None:
        self._text = PlainText(file)
        self._names = {account: account_name(account) for account, _ in accounts}
        self._text.write('option "title" "Journal"', f'option "operating_currency" "{CURRENCY}"', "")
        for account, day in accounts:
            self._text.write(
                f"{day} open {self._names[account]} {CURRENCY}",
                f"  account: {_quoted(account)}",
                f"  meaning: {_quoted(meaning_of(account))}",
            )

    def add(self, entry: Entry) -> None:
        lines = [
            "",
            f'{entry.day} * "{entry.rule}" ""',
            f"  position: {entry.position}",
            f'  rule: "{entry.rule}/{entry.rule_version}"',
            f'  event: "{entry.topic}"',
            f'  stream: "{entry.stream_id}"',
            f'  recorded: "{utc_text(entry.recorded_at)}"',
            f'  effective: "{utc_text(entry.effective_at)}"',
        ]
        for account, cents, item in entry.postings:
            lines.append(f"  {self._names[account]}  {amount_text(cents)} {CURRENCY}")
            if item is not None:
                lines.append(f"    item: {_quoted(item)}")
        self._text.write(*lines)
        self._text.count(entry)

    def close(self) -> None:
        for account, cents in sorted(self._text.sums.items()):
            day = self._text.last_day + timedelta(days=1)  # a balance holds at the beginning of its day
            self._text.write("", f"{day} balance {self._names[account]}  {amount_text(cents)} {CURRENCY}")
        self._text.close()


def account_name(account: str) -> str:
    """The account in Beancount's grammar: parts of letters, digits and dashes that begin with a capital or a digit.

    Different accounts have different names: where the name of a service or a promotion loses more than usual, it ends
    in a digest of what it was.
    """
    if account in CHART:
        parts = [part[0].upper() + part[1:] for part in account.split(":")[1:]]
    else:
        _, group, name = account.split(":", 2)
        parts = [group.capitalize(), _part(name)]
    return ":".join([_ROOTS[kind_of(account)], *parts])


def _part(text: str) -> str:
    if _USUAL.fullmatch(text):
        return text[0].upper() + text[1:].replace("_", "-")
    plain = re.sub(r"[^A-Za-z0-9-]+", "-", text)
    digest = hashlib.sha256(text.encode()).hexdigest()[:6]
    return f"{plain[:1].upper() if plain[:1].isalnum() else 'X'}{plain[1:]}-{digest}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'

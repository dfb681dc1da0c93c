"""The manifest of an export: what the files hold, so that somebody else can check that they have all of it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from projections.ledger.balances import Selection
from projections.ledger.exports.journal import CURRENCY, Entry, amount_text, utc_text

NAME = "manifest.json"
CHUNK = 1 << 20


@dataclass
class Manifest:
    """Grows with the entries; equal journals make equal manifests."""

    selection: Selection
    entries: int = 0
    postings: int = 0
    first_position: int | None = None
    last_position: int | None = None
    rules: set[tuple[str, int]] = field(default_factory=set)
    debits: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    credits: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, entry: Entry) -> None:
        self.entries += 1
        self.postings += len(entry.postings)
        self.first_position = entry.position if self.first_position is None else self.first_position
        self.last_position = entry.position
        self.rules.add((entry.rule, entry.rule_version))
        for account, cents, _ in entry.postings:
            (self.debits if cents > 0 else self.credits)[account] += abs(cents)

    def described(self, files: dict[str, Path]) -> dict[str, Any]:
        """`files`: by format."""
        span, accounts = self.selection.span, sorted({*self.debits, *self.credits})
        return {
            "from": utc_text(span.start) if span.start else None,
            "to": utc_text(span.end) if span.end else None,
            "through_position": self.selection.through,
            "period": self.selection.period,
            "entries": self.entries,
            "postings": self.postings,
            "first_position": self.first_position,
            "last_position": self.last_position,
            "currency": CURRENCY,
            "accounts": {account: self._sums(account) for account in accounts},
            "totals": {
                "debit": amount_text(sum(self.debits.values())),
                "credit": amount_text(sum(self.credits.values())),
            },
            "rules": [{"id": rule, "version": version} for rule, version in sorted(self.rules)],
            "files": [
                {"format": name, "name": file.name, "bytes": file.stat().st_size, "sha256": sha256_of(file)}
                for name, file in sorted(files.items())
            ],
        }

    def _sums(self, account: str) -> dict[str, str]:
        debit, credit = self.debits.get(account, 0), self.credits.get(account, 0)
        return {"debit": amount_text(debit), "credit": amount_text(credit), "balance": amount_text(debit - credit)}


def sha256_of(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def write_manifest(folder: Path, described: dict[str, Any]) -> None:
    text = msgspec.json.format(msgspec.json.encode(described), indent=2)
    (folder / NAME).write_bytes(text + b"\n")

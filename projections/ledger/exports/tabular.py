"""What the formats with rows and columns share: one row per posting."""

from __future__ import annotations

from typing import NamedTuple

from projections.ledger.exports.journal import CURRENCY, Entry, utc_text


class Record(NamedTuple):
    """The columns in their order."""

    position: int
    line: int
    period: str
    recorded_at: str
    effective_at: str
    account: str
    item: str  # empty where there is none
    debit: int  # cents; 0 for a credit
    credit: int  # cents; 0 for a debit
    currency: str
    rule: str
    rule_version: int
    topic: str
    stream_id: str


COLUMNS = Record._fields
DEBIT, CREDIT = COLUMNS.index("debit"), COLUMNS.index("credit")


def records(entry: Entry) -> list[Record]:
    """The entry's rows."""
    before = (entry.period, utc_text(entry.recorded_at), utc_text(entry.effective_at))
    after = (CURRENCY, entry.rule, entry.rule_version, entry.topic, str(entry.stream_id))
    return [
        Record._make((entry.position, line, *before, account, item or "", max(cents, 0), max(-cents, 0), *after))
        for line, (account, cents, item) in enumerate(entry.postings, start=1)
    ]

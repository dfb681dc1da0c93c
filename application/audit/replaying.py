"""Replays the log as it was at a position or an instant: one order with its guards, or all of it in one pass.

What the checks compare, by their slugs in a mismatch:

- versions, readable, known-topic, one-kind-per-stream, requested-once, order-of-events: the log as such;
- subtotal, promotion-known, promotion-terms, promotion-applicable, promotion-current, discount-split, discount, total,
  waived, amount, correction-asked: every sum follows from the priced lines and the promotion's terms of that moment;
- one-charge, submitted-iff-paid: one charge at most, and submitted if and only if charged or waived;
- window, window-blocks, window-follows-order, guard-of-order: the same thing is not paid twice;
- one-use, promotion-of-order, redemption-follows-order: one use per promotion and user.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Protocol

from application.audit import facts
from application.audit.checking import LogCheck
from application.audit.state import StoredRow
from domain.stream import UNREADABLE

PAGE = 10_000


class Scan(Protocol):
    """The stored log, read undecoded."""

    def head(self) -> int: ...

    def page(self, after: int, limit: int) -> list[StoredRow]: ...

    def streams(self, stream_ids: Sequence[str], up_to: int | None = None) -> Iterable[StoredRow]: ...


@dataclass(frozen=True)
class Cut:
    """Up to where the log is read: all of it, or up to a position or an instant; a commit is always taken whole."""

    position: int | None = None
    at: datetime | None = None

    def excludes(self, row: StoredRow) -> bool:
        """Whether the log, read so far, ends before this event."""
        if self.position is not None and row.position > self.position:
            return True
        return self.at is not None and recorded_at(row) > self.at


@dataclass(frozen=True)
class Progress:
    position: int
    target: int
    seconds: float

    @property
    def percent(self) -> float:
        return 100.0 * self.position / self.target if self.target else 100.0


Report = Callable[[Progress], None]


def recorded_at(row: StoredRow) -> datetime:
    """By the clock of the process that recorded it; the beginning of time where it cannot be read."""
    found = _header(row)
    return found.timestamp if found else datetime.fromisoformat("1970-01-01T00:00:00Z")


def replay_log(scan: Scan, topics: Iterable[str], cut: Cut, report: Report) -> LogCheck:
    """The whole log up to the cut, in one pass. An instant ends it before the first event recorded later."""
    target = scan.head()
    log = LogCheck(topics, lambda ids, up_to: scan.streams(ids, up_to))
    began = monotonic()
    for rows in pages(scan, cut, target):
        log.page(rows)
        report(Progress(log.position, target, monotonic() - began))
    log.finish()
    return log


def pages(scan: Scan, cut: Cut, target: int) -> Iterator[list[StoredRow]]:
    """The log in pages up to the target and the cut. The commit that a position falls into is taken whole."""
    last: StoredRow | None = None
    while rows := scan.page(last.position if last else 0, PAGE):
        rows = [row for row in rows if row.position <= target] if rows[-1].position > target else rows
        end = _end(rows, cut)
        if end is None:
            yield rows
            last = rows[-1]
            continue
        yield rows[:end]
        last = rows[end - 1] if end else last
        if last is not None and cut.at is None:
            yield list(same_commit(last, scan.page(last.position, PAGE)))
        return


def _end(rows: Sequence[StoredRow], cut: Cut) -> int | None:
    """How many rows of the page are within the cut; None where the log goes on after it."""
    if not rows:
        return 0
    if cut.at is None and (cut.position is None or rows[-1].position <= cut.position):
        return None
    return next((index for index, row in enumerate(rows) if cut.excludes(row)), None)


def same_commit(last: StoredRow, following: Iterable[StoredRow]) -> Iterator[StoredRow]:
    """The events that were stored together with `last`: one decision has one recorded time and one request."""
    of_last = _header(last)
    for row in following:
        found = _header(row)
        if of_last is None or found is None or _moment(found) != _moment(of_last):
            return
        yield row


def _moment(fact: facts.Fact) -> tuple[datetime, str]:
    return fact.timestamp, fact.correlation_id


def _header(row: StoredRow) -> facts.Fact | None:
    try:
        return facts.read_any(row.state)
    except UNREADABLE:
        return None

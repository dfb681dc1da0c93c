"""Which events of the log were recorded in a span of time: a run of positions, so that nobody can leave one out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime

import msgspec

from application.audit.seals.bundle import SealsBroken, Select
from application.audit.seals.leaf import Row
from application.audit.seals.reading import pages
from application.audit.seals.storing import BEFORE_ALL, LogRows
from domain.stream import UNREADABLE


def recorded_between(rows: LogRows, start: datetime, end: datetime, report: Callable[[int], None]) -> Select:
    """From the first event that was recorded from `start` up to `end` (exclusive) to the last such, and all in between.

    Clocks differ a little, so some in between may be of a moment before or after. `report` hears the positions passed.
    """
    span: list[int] = []  # the positions of the first and the last

    def find() -> None:
        for page in pages(rows, BEFORE_ALL):
            here = [row[0] for row in page if start <= _recorded_at(row) < end]
            if here:
                span[:] = [*span, here[0]][0], here[-1]
            report(page[-1][0])

    def select() -> Iterator[Row]:
        if not span:
            find()
        with closing(pages(rows, span[0] - 1 if span else BEFORE_ALL)) as every:
            for page in every if span else ():
                yield from (row for row in page if row[0] <= span[1])
                if page[-1][0] >= span[1]:
                    return

    return select


class _Recorded(msgspec.Struct):
    timestamp: datetime


_recorded = msgspec.json.Decoder(_Recorded).decode


def _recorded_at(row: Row) -> datetime:
    try:
        return _recorded(row[-1]).timestamp
    except (*UNREADABLE, TypeError) as error:
        raise SealsBroken(f"the event at position {row[0]} cannot be read; run: orders audit verify") from error

"""What every report is asked with: a span of time, and the place where the last page ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa


@dataclass(frozen=True)
class Span:
    """From an instant on, up to and without another; either may be open."""

    start: datetime | None = None
    end: datetime | None = None

    def of(self, column: sa.Column[datetime]) -> list[sa.ColumnElement[bool]]:
        """The conditions for a time."""
        return [
            *([column >= self.start] if self.start else []),
            *([column < self.end] if self.end else []),
        ]

    def of_day(self, column: sa.Column[Any]) -> list[sa.ColumnElement[bool]]:
        """The conditions for a day (UTC); a span that ends within a day has that day in it."""
        last = self.end - timedelta(microseconds=1) if self.end else None
        return [
            *([column >= self.start.date()] if self.start else []),
            *([column <= last.date()] if last else []),
        ]


@dataclass(frozen=True)
class Page:
    """At most `limit` rows, behind the one whose cursor values are given."""

    limit: int = 50
    after: Sequence[Any] | None = None

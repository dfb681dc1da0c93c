"""Column types that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa


class UtcDateTime(sa.TypeDecorator[datetime]):
    """An aware UTC time, to the microsecond. SQLite keeps it as text that sorts as the time does."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[datetime | None], Any] | None:
        """On SQLite the text that the toolkit would make, in less than a fifth of the time."""
        return _as_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _as_text(value: datetime | None) -> str | None:
    if value is None:
        return None
    # Made in C, in less time than isoformat takes; it leaves microseconds out where there are none.
    text: str = msgspec.to_builtins(value if value.tzinfo is UTC else value.astimezone(UTC))
    return f"{text[:10]} {text[11:19]}{text[19:26] if value.microsecond else '.000000'}"

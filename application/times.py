"""How an instant is written, wherever it is read by a program."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec


def utc_text(at: datetime) -> str:
    """RFC 3339 in UTC with a Z, to the microsecond where there are any."""
    text: str = msgspec.to_builtins(at if at.tzinfo is UTC else at.astimezone(UTC))
    return text

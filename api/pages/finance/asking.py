"""What the pages of finance are asked with: an instant or a position, a month, a page of postings."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

from api.pages.asking import PageQuery
from api.pages.failures import PageError
from projections.ledger.balances import At
from projections.paging import Span

_POSITION = re.compile(r"[0-9]{1,18}")
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_CURSOR = re.compile(r"([0-9]{1,18})\.([0-9]{1,9})")


def moment_of(text: str | None) -> At:
    """A position of the log, a date (its end: the whole day counts), or an instant, UTC where it names no offset.

    Raises PageError.
    """
    if text is None or not text.strip():
        return None
    text = text.strip()
    if _POSITION.fullmatch(text):
        return int(text)
    try:
        if len(text) == len("2026-11-23"):
            return datetime.combine(date.fromisoformat(text), time(), UTC) + timedelta(days=1)
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise PageError(
            400,
            "This instant cannot be read",
            "Write a date (2026-11-23), an instant (2026-11-23T09:30) or a position.",
        ) from None


def month_of(text: str | None) -> str | None:
    """A month as 2026-10. Raises PageError."""
    if not text:
        return None
    if not _MONTH.fullmatch(text):
        raise PageError(400, "This month cannot be read", "Write a month as 2026-10.")
    return text


def cursor_of(text: str | None) -> tuple[int, int] | None:
    """Where the last page of postings ended. Raises PageError."""
    if not text:
        return None
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise PageError(400, "This page cannot be found", "Begin again with the first page.")
    return int(found[1]), int(found[2])


def span_of(query: PageQuery) -> Span:
    """The days `from` and `to`, both included. Raises ApiError, PageError."""
    start, end = query.days()
    if start and end and start >= end:
        raise PageError(400, "This range cannot be shown", "The range ends before it begins.")
    return Span(start, end)

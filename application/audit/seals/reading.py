"""Goes over the log in pages; one is always being read while the one before is worked on."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor

from application.audit.seals.leaf import Row
from application.audit.seals.storing import LogRows

PAGE = 5_000  # events


def pages(rows: LogRows, after: int) -> Generator[Sequence[Row], None, None]:
    """The pages of the log behind a position; close it when you leave early. Raises StoreFailed."""
    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as ahead:
        coming = ahead.submit(rows.after, after, PAGE)
        while page := coming.result():
            coming = ahead.submit(rows.after, page[-1][0], PAGE)
            yield page

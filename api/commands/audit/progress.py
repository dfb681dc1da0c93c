"""Progress of what takes longer than two seconds: a line on stderr now and then."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from api.commands.console import errors

EVERY_S = 2.0


def shown_progress() -> Callable[[str, int, int], None]:
    """Tells what is being done, and how far it has come of how much."""
    last_s = monotonic()

    def show(what: str, done: int, of: int) -> None:
        nonlocal last_s
        if monotonic() - last_s >= EVERY_S:
            last_s = monotonic()
            errors.print(f"{100 * done / max(of, 1):6.2f} %  {what}: {done:,} of {of:,}")

    return show

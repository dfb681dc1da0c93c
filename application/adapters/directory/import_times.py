"""Times in a directory file: relative to the import, so that an example never grows old, or absolute."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_time(text: str, now: datetime) -> datetime:
    """`now`, `now-8d`, `now+30m` (units s, m, h, d) or ISO 8601 with an offset, as aware UTC. Raises ValueError."""
    if relative := re.fullmatch(r"now(?:([+-])([0-9]{1,6})([smhd]))?", text):
        sign, amount, unit = relative.groups()
        distance = timedelta(**{UNITS[unit]: int(sign + amount)}) if sign else timedelta()
        try:
            return (now + distance).astimezone(UTC)
        except OverflowError:
            raise ValueError("is too far away") from None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError("must be now, now-8d, now+30m (s, m, h, d) or ISO 8601 with an offset")

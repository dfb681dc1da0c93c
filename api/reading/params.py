"""Query parameters, read strictly: an unknown or repeated name or a wrong value is `invalid-param`, never echoed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from starlette.requests import Request

from api.errors import invalid

MAX_LIMIT = 200
DEFAULT_LIMIT = 50

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MAX_POSITION = 2**63 - 1


class Query:
    """The query of one request. Raises ApiError invalid-param for a name that is not allowed or stands twice."""

    def __init__(self, request: Request, allowed: Iterable[str]) -> None:
        self._values: dict[str, str] = {}
        known = set(allowed)
        for name, value in request.query_params.multi_items():
            if name not in known or name in self._values:
                raise invalid(name if name in known else "query", "unknown-parameter" if name not in known else "twice")
            if "\x00" in value:
                raise invalid(name, "malformed")
            self._values[name] = value

    def text(self, name: str, max_chars: int = 255) -> str | None:
        value = self._values.get(name)
        if value is not None and not 0 < len(value) <= max_chars:
            raise invalid(name, "out-of-range")
        return value

    def choice(self, name: str, choices: Iterable[str], default: str) -> str:
        value = self._values.get(name, default)
        if value not in set(choices):
            raise invalid(name, "unknown-value")
        return value

    def choices(self, name: str, choices: Iterable[str]) -> tuple[str, ...]:
        """A comma-separated list."""
        value = self._values.get(name)
        if value is None:
            return ()
        wanted = tuple(value.split(","))
        if not set(wanted) <= set(choices):
            raise invalid(name, "unknown-value")
        return wanted

    def integer(self, name: str, low: int = 0, high: int = _MAX_POSITION) -> int | None:
        value = self._values.get(name)
        if value is None:
            return None
        if not re.fullmatch(r"[0-9]{1,19}", value):
            raise invalid(name, "wrong-type")
        number = int(value)
        if not low <= number <= high:
            raise invalid(name, "out-of-range")
        return number

    def limit(self) -> int:
        return self.integer("limit", 1, MAX_LIMIT) or DEFAULT_LIMIT

    def instant(self, name: str) -> datetime | None:
        """ISO 8601 with an offset."""
        value = self._values.get(name)
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise invalid(name, "malformed") from None
        if moment.tzinfo is None:
            raise invalid(name, "offset-missing")
        return moment


def order_id_of(text: str) -> UUID | None:
    """A canonical UUID, or None for anything else: it then names no order."""
    return UUID(text) if _UUID.fullmatch(text) else None

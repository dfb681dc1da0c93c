"""What the address of a page asks for. A form without scripts sends the fields that were left empty too."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from starlette.requests import Request

from api.errors import invalid
from api.reading.params import Query


class PageQuery(Query):
    """A strict query in which an empty value is none. Raises ApiError, which is shown as a page."""

    def __init__(self, request: Request, allowed: Iterable[str]) -> None:
        super().__init__(request, allowed)
        self._values = {name: value.strip() for name, value in self._values.items() if value.strip()}

    @property
    def given(self) -> dict[str, str]:
        """What was asked for, to make links with."""
        return dict(self._values)

    def day(self, name: str) -> date | None:
        """`2026-11-23`."""
        text = self.text(name, 10)
        if text is None:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise invalid(name, "malformed") from None

    def days(self) -> tuple[datetime | None, datetime | None]:
        """The instants from which and before which, of the days `from` and `to`; both days count, in UTC."""
        first, last = self.day("from"), self.day("to")
        if last == date.max:
            raise invalid("to", "out-of-range")
        return (
            datetime.combine(first, time(), UTC) if first else None,
            datetime.combine(last + timedelta(days=1), time(), UTC) if last else None,
        )

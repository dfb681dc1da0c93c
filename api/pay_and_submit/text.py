"""The kinds of text that parameters hold. Rules that JSON Schema can say are said there, the others check here."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

_DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _iso_datetime(text: str) -> str:
    if not _DATETIME.fullmatch(text):
        raise PydanticCustomError("malformed", "ISO 8601 with offset")
    _checked(datetime.fromisoformat, text)
    return text


def _iso_date(text: str) -> str:
    if not _DATE.fullmatch(text):
        raise PydanticCustomError("malformed", "YYYY-MM-DD")
    _checked(date.fromisoformat, text)
    return text


def _checked(parse: Callable[[str], object], text: str) -> None:
    """A month 13 has the right form and is still no date."""
    try:
        parse(text)
    except ValueError:
        raise PydanticCustomError("malformed", "no such day or time") from None


Line = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"\S")]
Slug = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Prose = Annotated[str, StringConstraints(max_length=1000)]
Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s.]+$")]
IsoDate = Annotated[str, AfterValidator(_iso_date), Field(json_schema_extra={"format": "date"})]
IsoDatetime = Annotated[str, AfterValidator(_iso_datetime), Field(json_schema_extra={"format": "date-time"})]

"""Times are written on SQLite as text that sorts as they do: UTC, always with microseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from projections.columns import UtcDateTime

ZONES = st.one_of(
    st.just(UTC), st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
)
MOMENTS = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=ZONES)  # noqa: DTZ001  # the zone is drawn

as_text = UtcDateTime().bind_processor(sqlite.dialect())


@given(MOMENTS | MOMENTS.map(lambda moment: moment.replace(microsecond=0)))
def test_a_time_is_written_as_the_standard_library_would(moment: datetime) -> None:
    assert as_text is not None
    assert as_text(moment) == moment.astimezone(UTC).isoformat(" ", "microseconds").removesuffix("+00:00")


def test_no_time_stays_none() -> None:
    assert as_text is not None
    assert as_text(None) is None

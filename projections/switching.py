"""Makes another generation the served one, in one transaction, at the position that readers have seen already."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

import sqlalchemy as sa

from projections.applying import ModelTarget, apply
from projections.building import Build
from projections.log import LogReader
from projections.positions import lock_positions
from projections.registry import change, note_difference, read_registry, record
from projections.sessions import sql_of
from projections.storage import Place, Storage

NEAR = 200  # events that may be applied while the live projector waits


class ChangedMeanwhile(Exception):
    """Somebody else has switched the projection; look again."""


def switch(
    storage: Storage, log: LogReader, build: Build, target: ModelTarget, live: Place, *, what: str, reason: str | None
) -> float:
    """Serve the target instead of `live`, which is kept as the previous one; how long that took, in seconds.

    The target is brought near first. While the live one is held still, what is left is applied, so that no reader's
    position goes back. Raises ChangedMeanwhile, and whatever the last batch raises.
    """
    while (position := build.position(live)) - build.position(target.place) > NEAR:
        build.advance_carefully(position) if what == "rolled-back" else build.advance(position)
    began_s = perf_counter()
    with storage.writer(live).begin() as held:
        with sql_of(held) as sql:
            position = lock_positions(sql, [live])[live]
        with _same_or_new(storage, target.place, held) as writing, sql_of(writing) as sql:
            there = lock_positions(sql, [target.place])[target.place]
            if there < position:
                apply(sql, [target], log.range(there, position))
        with _same_or_new(storage, Place("", 0), held) as control:
            entry = read_registry(control)[target.place.projection]
            if entry.live.place != live:
                raise ChangedMeanwhile(target.place.projection)
            building = None if entry.building is None or entry.building.place == target.place else entry.building.place
            change(
                control,
                target.place.projection,
                live=target.place.number,
                previous=live.number,
                building=building.number if building else None,
            )
            note_difference(control, target.place, None)
            record(control, target.place, what, position, reason)
    return perf_counter() - began_s


@contextmanager
def _same_or_new(storage: Storage, place: Place, held: sa.Connection) -> Iterator[sa.Connection]:
    """On PostgreSQL the transaction that is open already; on SQLite one of the file's own, committed at the end."""
    if storage.is_postgresql:
        yield held
    else:
        with storage.writer(place).begin() as connection:
            yield connection

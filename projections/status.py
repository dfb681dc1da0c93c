"""How the projections stand: where each is, how far behind, what went wrong, and whether anybody is at work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from projections import leases
from projections.log import LogReader
from projections.model import ReadModel
from projections.registry import read_registry
from projections.storage import Place, Storage, dead_letters, is_of, read_position

STALE_S = 10.0  # a leader says that it is there far more often


@dataclass(frozen=True)
class Leader:
    """Who follows the log. `stale`: nobody has for too long, whatever the lag."""

    owner: str | None
    age_s: float | None
    stale: bool


@dataclass(frozen=True)
class Standing:
    """One projection."""

    name: str
    generation: int | None
    position: int
    lag_events: int
    lag_s: float
    previous: int | None
    building: int | None
    building_position: int | None
    rebuild_needed: bool  # its rows were made by other code than this
    waits_for_decision: str | None  # digest of a rebuilt generation that differs
    dead_letters: int
    last_error: str | None

    @property
    def fine(self) -> bool:
        return not (self.rebuild_needed or self.dead_letters or self.last_error or self.generation is None)


@dataclass(frozen=True)
class Status:
    """`head` is the last position of the log; None where it cannot be read, and then no lag is known."""

    head: int | None
    leader: Leader
    projections: tuple[Standing, ...]

    @property
    def fine(self) -> bool:
        return self.head is not None and not self.leader.stale and all(standing.fine for standing in self.projections)


def read_status(
    storage: Storage, models: Sequence[ReadModel], fixed: Sequence[Place], log: LogReader, lease: str
) -> Status:
    """`fixed`: what follows the log in the control database itself. Raises SQLAlchemyError."""
    head = _head(log)
    with storage.control.connect() as connection:
        registry = read_registry(connection)
        held = leases.holder(connection, lease)
    standings = [_fixed(storage, log, place, head) for place in fixed]
    for model in models:
        entry = registry.get(model.name)
        served = entry.served(model) if entry else None
        position, dead = _look(storage, served.place) if served else (0, 0)
        building = entry.building if entry else None
        standings.append(
            Standing(
                name=model.name,
                generation=served.place.number if served else None,
                position=position,
                lag_events=_lag(head, position),
                lag_s=_lag_s(log, position, head),
                previous=entry.previous.place.number if entry and entry.previous else None,
                building=building.place.number if building else None,
                building_position=_building_position(storage, building.place) if building else None,
                rebuild_needed=served is None or not served.made_by(model),
                waits_for_decision=building.digest if building else None,
                dead_letters=dead,
                last_error=entry.last_error if entry else None,
            )
        )
    stale = held is None or held.expired or held.age_s > STALE_S
    return Status(head, Leader(held.owner if held else None, held.age_s if held else None, stale), tuple(standings))


def _fixed(storage: Storage, log: LogReader, place: Place, head: int | None) -> Standing:
    position, dead = _look(storage, place)
    lag_s = _lag_s(log, position, head)
    return Standing(
        place.projection, 0, position, _lag(head, position), lag_s, None, None, None, False, None, dead, None
    )


def _look(storage: Storage, place: Place) -> tuple[int, int]:
    """Position and dead letters."""
    with storage.engine(place).connect() as connection:
        count = sa.select(sa.func.count()).select_from(dead_letters).where(*is_of(dead_letters, place))
        return read_position(connection, place), int(connection.execute(count).scalar_one())


def _building_position(storage: Storage, place: Place) -> int | None:
    try:
        return _look(storage, place)[0]
    except sa.exc.SQLAlchemyError:  # its tables are just being made
        return None


def _head(log: LogReader) -> int | None:
    try:
        return log.head()
    except sa.exc.SQLAlchemyError:
        return None


def _lag(head: int | None, position: int) -> int:
    return 0 if head is None else max(0, head - position)


def _lag_s(log: LogReader, position: int, head: int | None) -> float:
    """How long the oldest event that is not applied yet has waited."""
    recorded_at = log.recorded_at(position) if _lag(head, position) else None
    return max(0.0, (datetime.now(UTC) - recorded_at).total_seconds()) if recorded_at else 0.0

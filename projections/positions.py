"""Where each generation stands in the log, and which events were set aside there, in the transaction that moves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from uuid import UUID

import sqlalchemy as sa

from projections.model import Recorded, Row, Undecodable
from projections.sessions import Sql
from projections.storage import Place, dead_letters
from projections.writing import TableWriter


def lock_positions(sql: Sql, places: Sequence[Place]) -> dict[Place, int]:
    """Where the generations stand; nobody else moves them before this transaction ends. Raises GenerationGone."""
    query = f"SELECT projection, generation, position FROM projection_positions WHERE {_among(len(places))}"  # noqa: S608
    # In one order, so that two who lock several never wait in a ring.
    order = " ORDER BY projection, generation" + (" FOR UPDATE" if sql.is_postgresql else "")
    found = {Place(name, number): position for name, number, position in sql.rows(query + order, _keys(places))}
    missing = [place.name for place in places if place not in found]
    if missing:
        raise GenerationGone(", ".join(missing))
    return found


class GenerationGone(Exception):
    """The generation was dropped: another one is served now."""


def move_together(sql: Sql, places: Sequence[Place], start: int, end: int) -> bool:
    """Where all generations stand at `start`, lock them and move them to `end`; False, and nothing moved, where none
    does. Raises StandApart where only some do."""
    moved = len(sql.rows(_moving(len(places), sql.is_postgresql), (end, *_keys(places), start)))
    if moved not in (0, len(places)):
        raise StandApart(f"{moved} of {len(places)} stand at {start}")
    return moved > 0


class StandApart(Exception):
    """Somebody else has moved some of the generations; this transaction cannot go on."""


@cache
def _moving(number: int, is_postgresql: bool) -> str:
    where = _among(number)
    if is_postgresql:  # in one order, as above
        where = (
            f"(projection, generation) IN (SELECT projection, generation FROM projection_positions WHERE {where}"  # noqa: S608
            " ORDER BY projection, generation FOR UPDATE)"
        )
    return f"UPDATE projection_positions SET position = ? WHERE {where} AND position = ? RETURNING 1"  # noqa: S608


def set_positions(sql: Sql, places: Sequence[Place], position: int) -> None:
    if places:
        statement = f"UPDATE projection_positions SET position = ? WHERE {_among(len(places))}"  # noqa: S608
        sql.run(statement, (position, *_keys(places)))


@cache
def _among(number: int) -> str:
    if number == 1:
        return "projection = ? AND generation = ?"
    return f"(projection, generation) IN (VALUES {', '.join(['(?, ?)'] * number)})"


def _keys(places: Sequence[Place]) -> list[str | int]:
    return [part for place in places for part in place]


def streams_set_aside(sql: Sql, places: Sequence[Place]) -> Mapping[Place, set[UUID]]:
    found: dict[Place, set[UUID]] = {}
    if places:
        query = "SELECT DISTINCT projection, generation, stream_id FROM projection_dead_letters WHERE "
        for name, number, stream_id in sql.rows(query + _among(len(places)), _keys(places)):
            found.setdefault(Place(name, number), set()).add(_uuid(stream_id))
    return found


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def set_aside(sql: Sql, place: Place, events: Sequence[Recorded], error: str | None) -> None:
    """`error`: None where they only wait for the ones before."""
    now = datetime.now(UTC)
    rows: list[Row] = [
        {
            "projection": place.projection,
            "generation": place.number,
            "position": position,
            "stream_id": event.originator_id,
            "topic": event.topic if isinstance(event, Undecodable) else type(event).TOPIC,  # type: ignore[attr-defined]
            "error": error,
            "set_aside_at": now,
        }
        for position, event in events
    ]
    _dead_letters(sql.is_postgresql).put(sql, rows)


@cache
def _dead_letters(is_postgresql: bool) -> TableWriter:
    url = sa.make_url("postgresql+psycopg://" if is_postgresql else "sqlite://")
    return TableWriter(dead_letters, None, url.get_dialect()())

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


def set_positions(sql: Sql, places: Sequence[Place], position: int) -> None:
    if places:
        statement = f"UPDATE projection_positions SET position = ? WHERE {_among(len(places))}"  # noqa: S608
        sql.run(statement, (position, *_keys(places)))


@cache
def _among(number: int) -> str:
    return f"(projection, generation) IN (VALUES {', '.join(['(?, ?)'] * number)})"


def _keys(places: Sequence[Place]) -> list[str | int]:
    return [part for place in places for part in place.key]


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

"""Compares a rebuilt generation with the one that is served, both at the same position of the log."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

import sqlalchemy as sa

from projections.building import Build
from projections.digests import Difference, Digest, differences, digest
from projections.model import ReadModel
from projections.registry import Generation
from projections.storage import Place, Storage, read_position

SHOWN = 20  # differing rows


@dataclass(frozen=True)
class Comparison:
    """What was found at `position`. `differences` are some of the rows that differ."""

    position: int
    rebuilt: Digest
    served: Digest | None  # None: the tables themselves are others
    differences: tuple[Difference, ...] = ()

    @property
    def equal(self) -> bool:
        return self.served == self.rebuilt


class ServedIsBehind(Exception):
    """The served generation has not come as far as the rebuilt one; let the projector catch up first."""


def compare(storage: Storage, model: ReadModel, served: Generation, rebuilt: Place, build: Build) -> Comparison:
    """Hold the served generation still in a snapshot, bring the rebuilt one to its position, and compare all rows."""
    with ExitStack() as stack:
        ours = stack.enter_context(_snapshot(storage, served.place))
        position = read_position(ours, served.place)
        build.advance(position)
        theirs = stack.enter_context(_snapshot(storage, rebuilt))
        if (there := read_position(theirs, rebuilt)) != position:
            raise ServedIsBehind(f"{served.place.projection!r} is served at position {position} and rebuilt at {there}")
        found = digest(theirs, model.tables, storage.schema(rebuilt))
        if not served.fits(model):
            return Comparison(position, found, None)
        shown = digest(ours, model.tables, storage.schema(served.place))
        if shown == found:
            return Comparison(position, found, shown)
        left, right = (ours, storage.schema(served.place), shown), (theirs, storage.schema(rebuilt), found)
        return Comparison(position, found, shown, tuple(differences(left, right, model.tables, SHOWN)))


class _snapshot:  # noqa: N801  # used as a function
    """A connection that sees one moment for as long as it takes."""

    def __init__(self, storage: Storage, place: Place) -> None:
        self._engine = storage.reader(place)
        self._limited = storage.is_postgresql

    def __enter__(self) -> sa.Connection:
        self._connection = self._engine.connect()
        self._connection.begin()
        if self._limited:
            self._connection.exec_driver_sql(
                "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"
            )
        return self._connection

    def __exit__(self, *_: object) -> None:
        self._connection.close()

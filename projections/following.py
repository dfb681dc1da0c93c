"""One round of the live projector: read the log once, apply it to every generation that is served."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from time import monotonic

import sqlalchemy as sa

from projections.applying import ModelTarget, Target, apply, apply_carefully, describe
from projections.log import Batch, LogReader, TopicNotKnown
from projections.model import ReadModel
from projections.positions import GenerationGone
from projections.registry import RebuildNeeded, note_error, read_registry
from projections.sessions import Session
from projections.storage import Place, Storage, read_position
from projections.topics import UnknownTopics, explain, note_met, note_unknown, topics_met

log = logging.getLogger(__name__)

FRONT = 2_000  # events per batch where everybody is up to date
BEHIND = 5_000  # where a new or failing projection has to catch up
PAUSE_S = 1.0  # before a projection that failed is tried again
SERVED = "SELECT projection, live, previous, building FROM projections ORDER BY projection"


class Following:
    """Keeps every served generation up to date. Used by one thread; several processes may do it at once.

    `others`: targets in the control database that have one generation for good.
    """

    def __init__(self, storage: Storage, models: Sequence[ReadModel], others: Sequence[Target], log: LogReader) -> None:
        self._storage = storage
        self._models = models
        self._others = others
        self._log = log.kept_open()
        self._sessions: dict[sa.Engine, Session] = {}
        self._served_then: list[tuple[object, ...]] | None = None  # what the registry said when `_targets` was made
        self._targets: dict[Place, Target] = {target.place: target for target in others}
        self._stands: dict[Place, int] = {}
        self._met: frozenset[str] | None = None
        self._errors: dict[str, str | None] = {}  # as the registry knows them
        self._not_before_s: dict[Place, float] = {}

    @property
    def position(self) -> int:
        """How far the furthest has come."""
        return max(self._stands.values(), default=0)

    @property
    def together(self) -> bool:
        """Whether all have come equally far."""
        return len(set(self._stands.values())) <= 1

    def round(self) -> int:
        """Apply the next batch, and one more to whoever is behind; by how many events it all moved.

        Raises UnknownTopics, and SQLAlchemyError where the log or the control database cannot be read.
        """
        targets = self._served()
        front = max(self._stands[target.place] for target in targets)
        up_to_date = [target for target in targets if self._stands[target.place] == front]
        behind = [target for target in targets if self._stands[target.place] < front]
        moved = self._move(up_to_date, self._read(front, FRONT))
        if behind := [target for target in behind if monotonic() >= self._not_before_s.get(target.place, 0.0)]:
            moved += self._move(behind, self._read(min(self._stands[target.place] for target in behind), BEHIND))
        return moved

    def _served(self) -> list[Target]:
        """The generations to follow, as the registry has them now."""
        served = self._session(self._storage.control).rows(SERVED)
        if served != self._served_then:
            self._look_up()
            self._served_then = served
        return list(self._targets.values())

    def _look_up(self) -> None:
        with self._storage.control.connect() as connection:
            registry = read_registry(connection)
            if self._met is None:
                self._met = topics_met(connection)
                self._errors = {name: entry.last_error for name, entry in registry.items()}
        now: dict[Place, Target] = {target.place: target for target in self._others}
        for model in self._models:
            entry = registry.get(model.name)
            served = entry.served(model) if entry else None
            if served is None:
                self._note(model.name, str(RebuildNeeded(model.name)))
            else:
                place = served.place
                now[place] = self._targets.get(place) or ModelTarget(self._storage, place, model)
        for place in now:
            if place not in self._stands:
                with self._storage.engine(place).connect() as connection:
                    self._stands[place] = read_position(connection, place)
        if now.keys() != self._targets.keys():
            self._stands = {place: self._stands[place] for place in now}
            in_use = [generation.place for entry in registry.values() for generation in entry.all]
            self._close_sessions()
            self._storage.forget([*now, *in_use])
        self._targets = now

    def _read(self, after: int, limit: int) -> Batch:
        try:
            batch = self._log.after(after, limit)
        except TopicNotKnown as unknown:
            with self._storage.control.execution_options(immediate=True).begin() as connection:
                version = note_unknown(connection, unknown.topic, unknown.position)
            raise UnknownTopics(explain(unknown.topic, unknown.position, version)) from unknown
        self._note_topics(batch)
        return batch

    def _note_topics(self, batch: Batch) -> None:
        assert self._met is not None
        if new := batch.topics - self._met:
            with self._storage.control.execution_options(immediate=True).begin() as connection:
                note_met(connection, new, batch.end)
            self._met |= new

    def _session(self, engine: sa.Engine) -> Session:
        if engine not in self._sessions:
            self._sessions[engine] = Session(engine)
        return self._sessions[engine]

    def _close_sessions(self) -> None:
        while self._sessions:
            self._sessions.popitem()[1].close()

    def close(self) -> None:
        """Let go of the connections; a later round opens them again."""
        self._close_sessions()
        self._log.close()

    # --- applying -----------------------------------------------------------------------------------------------------

    def _move(self, targets: Sequence[Target], batch: Batch) -> int:
        if batch.end == batch.after:
            return 0
        before = {target.place: self._stands[target.place] for target in targets}
        by_place = {target.place: target for target in targets}
        for engine, places in self._storage.by_engine(by_place):
            together = [by_place[place] for place in places]
            try:
                with self._session(engine).writing() as sql:
                    applied = apply(sql, together, batch)
                self._stands |= applied.committed()
                for target in together:
                    self._note(target.place.projection, None)
            except Exception:
                for target in together:
                    self._move_one(engine, target, batch)
        moved = any(self._stands.get(place, 0) > position for place, position in before.items())
        return batch.end - batch.after if moved else 0

    def _move_one(self, engine: sa.Engine, target: Target, batch: Batch) -> None:
        """Something in the batch went wrong for somebody: each on its own, event by event."""
        place = target.place
        try:
            with engine.execution_options(immediate=True).begin() as connection:
                self._stands[place] = apply_carefully(connection, target, batch)
            self._note(place.projection, None)
        except GenerationGone:
            self._stands.pop(place, None)
            self._targets.pop(place, None)
            self._served_then = None
        except Exception as error:
            log.warning("projection %s stays at position %d: %s", place.name, self._stands[place], describe(error))
            self._not_before_s[place] = monotonic() + PAUSE_S
            self._note(place.projection, describe(error))

    def _note(self, name: str, error: str | None) -> None:
        """Keep the registry's last error of a projection as it is now."""
        if self._errors.get(name) == error:
            return
        with self._storage.control.execution_options(immediate=True).begin() as connection:
            note_error(connection, name, error)
        self._errors[name] = error

"""Rebuild, verify and roll back: commands that people run every day, and that no reader notices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from time import monotonic, perf_counter

from projections import leases
from projections.applying import ModelTarget
from projections.building import Build, Progress, Report, analyze
from projections.comparing import Comparison, compare
from projections.dead_letters import skipped_positions
from projections.log import LogReader
from projections.model import ReadModel
from projections.process_locks import LockHeld, process_lock
from projections.registry import (
    Entry,
    add_generation,
    change,
    drop_unused,
    next_number,
    note_difference,
    read_registry,
)
from projections.storage import Place, Storage
from projections.switching import switch

LEASE_S = 60.0  # of a rebuild; renewed with its progress


class NotPossible(Exception):
    """The command cannot be carried out as asked; the text says why, and what to do."""


@dataclass(frozen=True)
class Outcome:
    """How the rebuild or the check of one projection ended."""

    projection: str
    generation: int
    comparison: Comparison
    switched: bool
    seconds: float
    built_s: float  # from the first read of the log to the last index
    switch_s: float | None = None


class _Watch:
    """The time since it was made, in seconds."""

    def __init__(self) -> None:
        self._began_s = perf_counter()
        self.built_s = 0.0

    @property
    def seconds(self) -> float:
        return perf_counter() - self._began_s


class Rebuilder:
    """Builds generations beside the served ones. One process; `owner` names it in the leases."""

    def __init__(self, storage: Storage, log: LogReader, owner: str) -> None:
        self._storage = storage
        self._log = log
        self._owner = owner

    def rebuild(self, models: Sequence[ReadModel], report: Report | None = None) -> list[Outcome]:
        """Build the next generation of each, all in one pass over the log, and serve those that are equal.

        One that differs is left beside the served one, to be accepted or rebuilt. Raises NotPossible, NotFolded,
        TopicNotKnown; what was built so far is kept, and the next try goes on from there.
        """
        with self._alone(models):
            places = {model: self._next(model) for model in models}
            watch = _Watch()
            self._build(list(places.items()), report, watch)
            return [self._compare_and_switch(model, places[model], watch) for model in models]

    def verify(self, models: Sequence[ReadModel], report: Report | None = None) -> list[Outcome]:
        """Fold the log afresh into generations that are dropped again, and compare with what is served."""
        with self._alone(models):
            places = {model: self._temporary(model) for model in models}
            try:
                watch = _Watch()
                self._build(list(places.items()), report, watch)
                return [self._compare(model, places[model], watch) for model in models]
            finally:
                for model in models:
                    drop_unused(self._storage, model.name)

    def accept(self, model: ReadModel, digest: str, reason: str) -> Outcome:
        """Serve the generation that was found to differ, as it was shown. Raises NotPossible."""
        with self._alone([model]):
            entry = self._entry(model)
            waiting = entry.building
            if waiting is None or waiting.digest is None:
                raise NotPossible(f"no rebuilt generation of {model.name!r} waits to be accepted: rebuild it first")
            if waiting.digest != digest:
                raise NotPossible(f"the rebuilt generation of {model.name!r} has the digest {waiting.digest}")
            if not waiting.made_by(model) or not waiting.fits(model):
                raise NotPossible(f"the code of {model.name!r} has changed since: rebuild it again")
            outcome = self._compare(model, waiting.place, _Watch())
            return self._switch(model, outcome, entry, "accepted", reason)

    def roll_back(self, model: ReadModel, reason: str | None = None) -> tuple[Place, float]:
        """Serve the previous generation again; which that is, and how long the switch took in seconds.

        What happened since is folded into it first. Raises NotPossible.
        """
        with self._alone([model]):
            entry = self._entry(model)
            if entry.previous is None:
                raise NotPossible(f"{model.name!r} has no previous generation")
            if not entry.previous.fits(model):
                raise NotPossible(f"the previous generation of {model.name!r} has tables that this version cannot read")
            place = entry.previous.place
            target = ModelTarget(self._storage, place, model)
            build = Build(self._storage, self._log, [target])
            took_s = switch(
                self._storage, self._log, build, target, entry.live.place, what="rolled-back", reason=reason
            )
            return place, took_s

    # --- steps --------------------------------------------------------------------------------------------------------

    def _next(self, model: ReadModel) -> Place:
        """The generation to build: one that was killed on the way goes on, if this code began it."""
        building = self._entry(model).building
        if building and building.made_by(model) and building.fits(model) and building.digest is None:
            return building.place
        with self._storage.control.execution_options(immediate=True).begin() as connection:
            place = Place(model.name, next_number(connection, model.name))
            add_generation(connection, place, model)
            change(connection, model.name, building=place.number)
        drop_unused(self._storage, model.name)
        self._storage.create(place, model, indexes=False)
        return place

    def _temporary(self, model: ReadModel) -> Place:
        drop_unused(self._storage, model.name)
        with self._storage.control.execution_options(immediate=True).begin() as connection:
            place = Place(model.name, next_number(connection, model.name))
            add_generation(connection, place, model)
        self._storage.create(place, model, indexes=False)
        return place

    def _of(self, wanted: Sequence[tuple[ReadModel, Place]], report: Report | None) -> Build:
        targets = [ModelTarget(self._storage, place, model) for model, place in wanted]
        with self._storage.control.connect() as connection:
            skipped = skipped_positions(connection)
        return Build(
            self._storage, self._log, targets, skipped=skipped, report=self._renewing([m for m, _ in wanted], report)
        )

    def _build(self, wanted: Sequence[tuple[ReadModel, Place]], report: Report | None, watch: _Watch) -> None:
        """Up to where readers are now."""
        for model, place in wanted:
            self._storage.create(place, model, indexes=False)  # where a kill came before
        build = self._of(wanted, report)
        build.advance(min(build.position(self._entry(model).live.place) for model, _ in wanted))
        for model, place in wanted:
            analyze(self._storage, ModelTarget(self._storage, place, model))
        watch.built_s = watch.seconds

    def _compare(self, model: ReadModel, place: Place, watch: _Watch) -> Outcome:
        build = self._of([(model, place)], None)
        comparison = compare(self._storage, model, self._entry(model).live, place, build)
        return Outcome(model.name, place.number, comparison, False, watch.seconds, watch.built_s)

    def _compare_and_switch(self, model: ReadModel, place: Place, watch: _Watch) -> Outcome:
        entry = self._entry(model)
        outcome = self._compare(model, place, watch)
        if outcome.comparison.equal:
            return self._switch(model, outcome, entry, "rebuilt", None)
        with self._storage.control.execution_options(immediate=True).begin() as connection:
            note_difference(connection, place, outcome.comparison.rebuilt.text)
        return outcome

    def _switch(self, model: ReadModel, compared: Outcome, entry: Entry, what: str, reason: str | None) -> Outcome:
        place = Place(model.name, compared.generation)
        build = self._of([(model, place)], None)
        target = ModelTarget(self._storage, place, model)
        took_s = switch(self._storage, self._log, build, target, entry.live.place, what=what, reason=reason)
        drop_unused(self._storage, model.name)
        return replace(compared, switched=True, seconds=compared.seconds + took_s, switch_s=took_s)

    def _entry(self, model: ReadModel) -> Entry:
        with self._storage.control.connect() as connection:
            return read_registry(connection)[model.name]

    # --- one at a time ------------------------------------------------------------------------------------------------

    @contextmanager
    def _alone(self, models: Sequence[ReadModel]) -> Iterator[None]:
        """Raises NotPossible while another process rebuilds, verifies or rolls back one of them. One that was killed
        is in nobody's way."""
        with ExitStack() as held:
            for model in models:
                try:
                    held.enter_context(process_lock(self._storage, _lease_of(model)))
                except LockHeld:
                    raise NotPossible(f"another process is rebuilding {model.name!r}; wait until it is done") from None
                held.callback(self._give_back, model)
                self._lease(model)
            yield

    def _lease(self, model: ReadModel) -> None:
        """So that people see who is at work."""
        with self._storage.control.execution_options(immediate=True).begin() as connection:
            leases.seize(connection, _lease_of(model), self._owner, LEASE_S)

    def _give_back(self, model: ReadModel) -> None:
        with self._storage.control.execution_options(immediate=True).begin() as connection:
            leases.give_back(connection, _lease_of(model), self._owner)

    def _renewing(self, models: Sequence[ReadModel], report: Report | None) -> Report:
        next_s = monotonic() + LEASE_S / 3

        def renew_and_report(progress: Progress) -> None:
            nonlocal next_s
            if monotonic() > next_s:
                next_s = monotonic() + LEASE_S / 3
                for model in models:
                    self._lease(model)
            if report is not None:
                report(progress)

        return renew_and_report


def _lease_of(model: ReadModel) -> str:
    return f"rebuild-{model.name}"

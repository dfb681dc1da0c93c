"""Fills generations from the log in large batches. Each is one transaction, so a killed build goes on where it was."""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any

import sqlalchemy as sa

from projections.applying import ModelTarget, apply, apply_carefully
from projections.log import Batch, LogReader
from projections.sessions import sql_of
from projections.storage import Place, Storage, read_position

BULK = 20_000  # positions per batch

# A build that is killed goes on from its last commit; nobody waits for its rows to be on disk.
_POSTGRESQL = "SET LOCAL synchronous_commit = off; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '30s'"


@dataclass(frozen=True)
class Progress:
    """How far a build has come."""

    projections: tuple[str, ...]
    position: int
    target: int
    events_per_s: float  # positions of the log per second
    eta_s: float | None

    @property
    def percent(self) -> float:
        return 100.0 if self.target == 0 else 100.0 * self.position / self.target


Report = Callable[[Progress], None]


class Build:
    """Brings generations up to a position of the log. `skipped`: events that a person gave up, by projection.

    Raises NotFolded at an event that cannot be folded, and TopicNotKnown.
    """

    def __init__(
        self,
        storage: Storage,
        log: LogReader,
        targets: Sequence[ModelTarget],
        *,
        skipped: Mapping[str, Collection[int]] | None = None,
        report: Report | None = None,
    ) -> None:
        self._storage = storage
        self._log = log.wanting(topic for target in targets for topic in target.model.topics)
        self._targets = {target.place: target for target in targets}
        for target in targets:
            target.skipped = frozenset((skipped or {}).get(target.place.projection, ()))
        self._report = report
        self._stands = {place: self.position(place) for place in self._targets}
        self._began_s, self._began_at = monotonic(), min(self._stands.values())

    def position(self, place: Place) -> int:
        with self._storage.engine(place).connect() as connection:
            return read_position(connection, place)

    def advance(self, end: int) -> None:
        """Up to and with that position; further is left alone."""
        with without_collector(), ThreadPoolExecutor(1, thread_name_prefix="log-reader") as reader:
            start = min(self._stands.values())
            rows = self._fetch(reader, start, end)
            while start < end:
                stop = min(start + BULK, end)
                batch = self._log.decoded(start, stop, rows.result())
                rows = self._fetch(reader, stop, end)
                self._apply(batch, bulk=True)
                self._tell(batch.end, end)
                if batch.end < stop:  # it ends before a topic that is not known
                    self._log.range(batch.end, stop)
                start = stop

    def advance_carefully(self, end: int) -> None:
        """As the live projector does: what cannot be folded is set aside."""
        while (start := min(self._stands.values())) < end:
            batch = self._log.range(start, min(start + BULK, end))
            try:
                self._apply(batch, bulk=False)
            except Exception:
                for place, target in self._targets.items():
                    with self._storage.writer(place).begin() as connection:
                        self._stands[place] = apply_carefully(connection, target, batch)

    def _fetch(self, reader: ThreadPoolExecutor, start: int, end: int) -> Future[Sequence[Any]]:
        """Read ahead while the batch before is folded."""
        return reader.submit(self._log.stored, start, min(start + BULK, end))

    def _apply(self, batch: Batch, *, bulk: bool) -> None:
        for engine, places in self._storage.by_engine(self._targets):
            with engine.execution_options(immediate=True).begin() as connection:
                if self._storage.is_postgresql:
                    connection.exec_driver_sql(_POSTGRESQL)
                with sql_of(connection) as sql:
                    self._stands |= apply(sql, [self._targets[place] for place in places], batch, bulk=bulk).stands

    def _tell(self, position: int, target: int) -> None:
        if self._report is not None:
            elapsed_s = max(monotonic() - self._began_s, 1e-9)
            rate = (position - self._began_at) / elapsed_s
            names = tuple(place.projection for place in self._targets)
            self._report(Progress(names, position, target, rate, (target - position) / rate if rate else None))


@contextmanager
def without_collector() -> Iterator[None]:
    """Batches make millions of objects and no cycles: looking for some in them again and again doubles the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def analyze(storage: Storage, target: ModelTarget) -> None:
    """Indexes and statistics, once the rows are there."""
    storage.create_indexes(target.place, target.model)
    with suppress(sa.exc.OperationalError), storage.writer(target.place).begin() as connection:
        schema = storage.schema(target.place)
        for table in target.model.tables:
            connection.exec_driver_sql(f'ANALYZE "{schema}".{table.name}' if schema else f"ANALYZE {table.name}")

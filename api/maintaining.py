"""Rebuilds, rollbacks and repairs that somebody asked for in a page: done on a thread beside the server, one at a time.

Every wish is an event before it begins, and its end is one too, so any process can tell how it went. A process that is
stopped or killed on the way loses nothing: a rebuild goes on from its last commit when it is asked for again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from api.jobs import AlreadyRunning, Job, Stopped, on_daemon_thread
from api.maintenance_endings import of_rebuild, of_retry, of_verification
from api.read_models import ReadModels
from api.seals import SealedLog
from application.audit.seals import verifying
from application.audit.seals.storing import StoreFailed
from application.maintenance import DEAD_LETTERS, LOG, Ending, MaintenanceLog, Wish, Wisher
from projections.building import Progress
from projections.comparing import ServedIsBehind
from projections.log import TopicNotKnown
from projections.model import NotFolded, ReadModel
from projections.rebuilding import NotPossible
from projections.switching import ChangedMeanwhile
from projections.topics import UnknownTopics

log = logging.getLogger(__name__)

CLOSE_LIMIT_S = 10.0

Told = Callable[[Progress], None]
Do = Callable[[Told], Ending]
WithModels = Callable[[ReadModels, Told], Ending]


class Maintaining:
    """One per process. What is `open`ed makes the parts for one job, with connections of its own."""

    def __init__(
        self, open_models: Callable[[], ReadModels], open_sealed_log: Callable[[], SealedLog], wishes: MaintenanceLog
    ) -> None:
        self._open_models = open_models
        self._open_sealed_log = open_sealed_log
        self._task: asyncio.Task[None] | None = None
        self.wishes = wishes
        self.job: Job | None = None

    @property
    def running(self) -> Job | None:
        return self.job if self.job is not None and self.job.ending is None else None

    # --- wishes; all raise AlreadyRunning, StoreUnavailable, CommitUnknown ------------------------------------------

    async def rebuild(self, model: ReadModel, by: Wisher) -> None:
        """Begin; ends when it is served, or differs, or fails."""
        await self._begin(
            model.name,
            "rebuild",
            by,
            lambda stream, when, reason: stream.request_rebuild(when, model.name, reason),
            self._with_models(lambda models, told: of_rebuild(models.rebuilder.rebuild([model], told)[0])),
        )

    async def accept(self, model: ReadModel, digest: str, by: Wisher) -> None:
        """Serve the rebuilt rows that were found to differ."""
        await self._begin(
            model.name,
            "accept",
            by,
            lambda stream, when, reason: stream.accept_difference(when, model.name, digest, reason),
            self._with_models(lambda models, _: of_rebuild(models.rebuilder.accept(model, digest, by.reason))),
        )

    async def roll_back(self, model: ReadModel, by: Wisher) -> None:
        """Serve the generation before again."""

        def act(models: ReadModels, _: Told) -> Ending:
            place, took_s = models.rebuilder.roll_back(model, by.reason)
            return Ending("switched", f"generation {place.number} is served again ({took_s * 1000:.0f} ms)")

        await self._begin(
            model.name,
            "rollback",
            by,
            lambda stream, when, reason: stream.request_rollback(when, model.name, reason),
            self._with_models(act),
        )

    async def retry(self, stream_id: UUID | None, by: Wisher) -> None:
        """Fold again what was set aside, of one stream or of all."""
        await self._begin(
            DEAD_LETTERS,
            "retry",
            by,
            lambda stream, when, reason: stream.request_retry(when, stream_id, reason),
            self._with_models(lambda models, _: of_retry(models.dead_letters.retry(stream_id))),
        )

    async def skip(self, stream_id: UUID, by: Wisher) -> None:
        """Give up the first event of a stream that is set aside."""
        await self._begin(
            DEAD_LETTERS,
            "skip",
            by,
            lambda stream, when, reason: stream.request_skip(when, stream_id, reason),
            self._with_models(
                lambda models, _: of_retry(models.dead_letters.skip(stream_id, actor=by.actor, reason=by.reason))
            ),
        )

    async def verify_log(self, by: Wisher) -> None:
        """Hold the whole log against its signed checkpoints."""
        await self._begin(
            LOG,
            "verification",
            by,
            lambda stream, when, reason: stream.request_verification(when, reason),
            self._verify,
        )

    def stop(self, by: Wisher) -> None:
        """Have what runs here end after its present batch."""
        if self.job is not None:
            self.job.stopped_by = by

    async def wait(self, limit_s: float) -> None:
        """Until what runs here has ended, or the time is over."""
        if self._task is not None:
            await asyncio.wait([self._task], timeout=limit_s)

    async def close(self) -> None:
        """Stop what runs; a comparison of many rows may not end in time, and is then left to die with the process."""
        if self.job is not None:
            self.job.closing = True
        await self.wait(CLOSE_LIMIT_S)

    # --- one at a time ------------------------------------------------------------------------------------------------

    async def _begin(self, subject: str, what: str, by: Wisher, wish: Wish, do: Do) -> None:
        if self.running is not None:
            raise AlreadyRunning(f"{self.running.what} of {self.running.subject} is still running; wait until it ends")
        job = self.job = Job(subject, what, by)  # before the first await: the next one finds it
        try:
            await self.wishes.wish(subject, wish, by)
        except BaseException:
            self.job = None
            raise
        self._task = asyncio.create_task(self._run(job, do), name=f"{what} of {subject}")

    async def _run(self, job: Job, do: Do) -> None:
        ending = Ending("failed", "it could not be begun")
        try:
            ending = await on_daemon_thread(lambda: self._work(job, do), name=job.what)
            await _safely(self.wishes.end(job.subject, job.by, ending))
        finally:
            job.ending = ending  # whatever happened: the next one may begin

    def _work(self, job: Job, do: Do) -> Ending:
        """On a thread. Whatever goes wrong is an ending."""
        try:
            return do(job.told)
        except Stopped as stopped:
            return Ending("stopped", str(stopped))
        except (NotPossible, ServedIsBehind, ChangedMeanwhile, NotFolded, UnknownTopics, TopicNotKnown) as refused:
            return Ending("failed", str(refused))
        except (SQLAlchemyError, StoreFailed, OSError) as error:
            return Ending("failed", f"a database or file cannot be used now ({type(error).__name__}); try again")
        except Exception as error:
            log.exception("%s of %s failed", job.what, job.subject)
            return Ending("failed", type(error).__name__)

    def _with_models(self, act: WithModels) -> Do:
        def do(told: Told) -> Ending:
            models = self._open_models()
            try:
                return act(models, told)
            finally:
                asyncio.run(models.close())

        return do

    def _verify(self, told: Told) -> Ending:
        sealed = self._open_sealed_log()

        def tell(now: verifying.Progress) -> None:
            rate = now.events / max(now.seconds, 1e-9)
            told(Progress((LOG,), now.position, now.head, rate, (now.head - now.position) / rate if rate else None))

        try:
            verifier = sealed.signer().verifier
            return of_verification(verifying.verify(sealed.rows, sealed.store, sealed.file(), verifier, report=tell))
        finally:
            sealed.close()


async def _safely(step: Awaitable[None]) -> None:
    """The end of a job is worth a note; where it cannot be stored, the log of the process has it."""
    try:
        await step
    except Exception as error:
        log.error("the end of a maintenance job could not be stored: %s", type(error).__name__)

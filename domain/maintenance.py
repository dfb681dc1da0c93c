"""Maintenance: what a person does by hand to the machinery. Rows can be made again; who wished what stays known."""

from __future__ import annotations

from uuid import UUID

from domain.stream import Metadata, Stream


class Maintenance(Stream):
    """One stream per read model, one for what could not be taken in, and one for checks of the log.

    A wish is recorded before it is carried out.
    """

    class Event(Stream.Event):
        def apply(self, maintenance: Maintenance) -> None:
            """Nothing is decided by what was wished before."""

    class RebuildRequested(Event):
        TOPIC = "maintenance.rebuild-requested.v1"

        projection: str
        reason: str

    class DifferenceAccepted(Event):
        """The rebuilt rows are right though they differ from the served ones."""

        TOPIC = "maintenance.difference-accepted.v1"

        projection: str
        digest: str  # of the rebuilt rows
        reason: str

    class RollbackRequested(Event):
        TOPIC = "maintenance.rollback-requested.v1"

        projection: str
        reason: str

    class RetryRequested(Event):
        """What was set aside is to be folded again; of one stream, or of all (None)."""

        TOPIC = "maintenance.retry-requested.v1"

        stream_id: UUID | None
        reason: str

    class SkipRequested(Event):
        """The first event of a stream that is set aside is given up."""

        TOPIC = "maintenance.skip-requested.v1"

        stream_id: UUID
        reason: str

    class VerificationRequested(Event):
        """The whole log is to be held against its signed checkpoints."""

        TOPIC = "maintenance.verification-requested.v1"

        reason: str

    class Ended(Event):
        """What became of the wish that caused it."""

        TOPIC = "maintenance.ended.v1"

        outcome: str  # switched | different | done | left | stopped | failed
        text: str  # for people; no personal data
        details: tuple[str, ...]  # some of the rows that differ

    def request_rebuild(self, metadata: Metadata, projection: str, reason: str) -> None:
        self.record(metadata, self.RebuildRequested, projection=projection, reason=reason)

    def accept_difference(self, metadata: Metadata, projection: str, digest: str, reason: str) -> None:
        self.record(metadata, self.DifferenceAccepted, projection=projection, digest=digest, reason=reason)

    def request_rollback(self, metadata: Metadata, projection: str, reason: str) -> None:
        self.record(metadata, self.RollbackRequested, projection=projection, reason=reason)

    def request_retry(self, metadata: Metadata, stream_id: UUID | None, reason: str) -> None:
        self.record(metadata, self.RetryRequested, stream_id=stream_id, reason=reason)

    def request_skip(self, metadata: Metadata, stream_id: UUID, reason: str) -> None:
        self.record(metadata, self.SkipRequested, stream_id=stream_id, reason=reason)

    def request_verification(self, metadata: Metadata, reason: str) -> None:
        self.record(metadata, self.VerificationRequested, reason=reason)

    def end(self, metadata: Metadata, outcome: str, text: str, details: tuple[str, ...]) -> None:
        self.record(metadata, self.Ended, outcome=outcome, text=text, details=details)

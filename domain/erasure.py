"""ClientErasure: the personal data of one client is destroyed, on somebody's word, and the log says so."""

from __future__ import annotations

from datetime import datetime

from domain.stream import Metadata, Stream


class ClientErasure(Stream):
    """One per client. Requested before anything is destroyed; erased once nothing is left to destroy.

    The client's id stays, as it does in the orders: amounts and ids are kept for the books.
    """

    class Event(Stream.Event):
        pass

    class Requested(Event):
        """The intent. From here on the erasure is finished, whatever crashes on the way."""

        TOPIC = "client.erasure-requested.v1"

        client_id: int
        reason: str

        def apply(self, erasure: ClientErasure) -> None:
            erasure.client_id = self.client_id
            erasure.requested_at = self.timestamp
            erasure.reason = self.reason

    class Erased(Event):
        """Key, directory and search index hold nothing of the client any more, and neither do their files."""

        TOPIC = "client.erased.v1"

        client_id: int
        reason: str  # of the request

        def apply(self, erasure: ClientErasure) -> None:
            erasure.erased_at = self.timestamp

    def __init__(self) -> None:
        self.client_id: int | None = None
        self.reason = ""
        self.requested_at: datetime | None = None
        self.erased_at: datetime | None = None

    def request(self, metadata: Metadata, *, client_id: int, reason: str) -> None:
        """Asking again changes nothing: the first reason stays."""
        if self.requested_at is None:
            self.record(metadata, self.Requested, client_id=client_id, reason=reason)

    def complete(self, metadata: Metadata) -> None:
        """Everything is done. Completing again changes nothing."""
        if self.requested_at is not None and self.erased_at is None:
            self.record(metadata, self.Erased, client_id=self.client_id, reason=self.reason)

"""Which clients the log says are erased, for those who check that they are."""

from __future__ import annotations

from dataclasses import dataclass

from application.event_log import EventLog
from domain.erasure import ClientErasure

BATCH = 1000


@dataclass(frozen=True)
class Erasures:
    """Ids of clients."""

    finished: tuple[int, ...]
    unfinished: tuple[int, ...]


async def read_erasures(events: EventLog) -> Erasures:
    """All of them, in the order of the log."""
    asked: dict[int, bool] = {}
    topics = (ClientErasure.Requested.TOPIC, ClientErasure.Erased.TOPIC)
    start = 1
    while stored := await events.recorder.notifications(start, BATCH, topics):
        for notification in stored:
            event = events.codec.decode(notification)
            assert isinstance(event, ClientErasure.Requested | ClientErasure.Erased)
            asked[event.client_id] = isinstance(event, ClientErasure.Erased)
        start = stored[-1].id + 1
    return Erasures(
        tuple(client_id for client_id, done in asked.items() if done),
        tuple(client_id for client_id, done in asked.items() if not done),
    )

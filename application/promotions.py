"""Keeps the history of promotion terms: an import of the directory is told to the Promotion streams first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from application.event_log import EventLog
from application.ports import Clock, PromotionRecord
from domain.promotion import Promotion
from domain.stream import Metadata


async def define_promotions(
    events: EventLog,
    clock: Clock,
    *,
    wanted: Sequence[PromotionRecord],
    known: Sequence[PromotionRecord],
    actor: str,
    correlation_id: str,
) -> dict[UUID, int]:
    """Give each promotion its wanted terms, end those that are known and not wanted, and say each stream's version.

    Repeatable: terms that have not changed record nothing.
    """
    still_wanted = {record.promotion_id for record in wanted}
    ended = [replace(record, active=False) for record in known if record.promotion_id not in still_wanted]
    versions: dict[UUID, int] = {}
    for record in [*wanted, *ended]:
        versions[record.promotion_id] = await _define(events, clock, record, actor, correlation_id)
    return versions


async def _define(events: EventLog, clock: Clock, record: PromotionRecord, actor: str, correlation_id: str) -> int:
    def decide(promotion: Promotion) -> None:
        promotion.define(Metadata(clock.now(), actor, correlation_id, correlation_id), record)

    return (await events.change(Promotion, record.promotion_id, decide)).version

"""An order explained, with the postings that its events caused and the seals that cover them joined in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from api.read_models import LEDGER
from api.views_database import ViewsDatabase
from application.adapters.authorizenet.codes import STATUS
from application.adapters.sql import Busy
from application.audit.explaining import Explain, with_seals
from application.audit.explanation import Explanation, Step
from application.audit.seals.storing import StoreFailed
from application.times import utc_text
from projections.ledger.entries import postings_of_order
from projections.registry import RebuildNeeded

if TYPE_CHECKING:
    from api.bootstrap import Service

POSTING = ("account", "debit_cents", "credit_cents", "rule")


class ExplainOrder:
    """Explains orders of one process."""

    def __init__(self, service: Service) -> None:
        self._explain = Explain(service.events, service.keys, STATUS.get)
        self._seals = service.sealing.seals
        self._views = service.views

    async def __call__(self, order_id: UUID) -> Explanation | None:
        """None where there is no such order. Raises StoreUnavailable; names the seals and the postings as unavailable
        where only these cannot be read."""
        explanation = await self._explain(order_id)
        if explanation is None:
            return None
        try:
            explanation = await with_seals(explanation, self._seals)
        except (StoreFailed, TimeoutError, Busy):
            explanation = replace(explanation, unavailable=("seals",))
        return await _with_postings(explanation, self._views)


async def _with_postings(explanation: Explanation, views: ViewsDatabase) -> Explanation:
    """The ledger follows the log: events that it has not seen yet keep None, and so do all while it is being made."""
    try:
        position, rows = await views.read(LEDGER, lambda found: postings_of_order(found, explanation.order_id))
    except (RebuildNeeded, SQLAlchemyError, TimeoutError, Busy):
        return replace(explanation, unavailable=(*explanation.unavailable, "postings"))
    steps = (_posted(step, rows) if step.position <= position else step for step in explanation.steps)
    own = {step.position for step in explanation.steps}
    later = tuple(
        {"position": row["position"], "topic": row["topic"], **_posting(row)}
        for row in rows
        if row["position"] not in own
    )
    return replace(explanation, steps=tuple(steps), later_postings=later)


def _posted(step: Step, rows: Sequence[Mapping[str, Any]]) -> Step:
    caused = [row for row in rows if row["position"] == step.position]
    return replace(step, postings=tuple(map(_posting, caused)))


def _posting(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in POSTING}


def as_json(explanation: Explanation) -> dict[str, Any]:
    """The explanation as the API and the command show it."""
    return {
        "order_id": str(explanation.order_id),
        "number": explanation.number,
        "client_id": explanation.client_id,
        "state": explanation.state,
        "steps": [_plain(asdict(step)) for step in explanation.steps],
        "later_postings": _plain(explanation.later_postings),
        "unavailable": list(explanation.unavailable),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, datetime):
        return utc_text(value)
    return str(value) if isinstance(value, UUID) else value

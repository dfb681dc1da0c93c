"""The overview's line of checks: who does the work, how fresh the lists are, what lies there too long, what is wrong.

Each check is read by itself: one that cannot be read says so, and takes none of the others with it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from api.bootstrap import Service
from api.doctor.work import LAG_S, LATE_S
from api.pages import formatting
from api.pages.viewer import FINANCE_READERS, OPERATORS, REPORT_READERS, Viewer
from api.read_models import SETTLEMENT_BREAKS
from application.adapters.sql import Busy
from application.audit.seals.storing import StoreFailed
from projections.registry import RebuildNeeded
from projections.settlement_breaks import OPEN, count_breaks
from projections.status import Status
from projections.stuck_work import read_backlog

OK, ATTENTION, BROKEN = "ok", "attention", "broken"
_UNREADABLE = (SQLAlchemyError, RebuildNeeded, StoreFailed, TimeoutError, Busy)


@dataclass(frozen=True)
class Said:
    """How something stands, and where to look. `path` is None for those who may not open it."""

    state: str  # ok | attention | broken
    text: str
    path: str | None


Look = Callable[[Service], Awaitable[tuple[str, str]]]


async def standing_checks(service: Service, viewer: Viewer) -> list[Said]:
    """For the roles that read reports; the others see none."""
    if not viewer.may(REPORT_READERS):
        return []
    found: list[Said] = []
    for name, look, path, roles in _CHECKS:
        try:
            state, text = await look(service)
        except _UNREADABLE:
            state, text = BROKEN, f"{name}: cannot be read now"
        found.append(Said(state, text, path if viewer.may(roles) else None))
    return found


async def _workers(service: Service) -> tuple[str, str]:
    leader = (await _status(service)).leader
    if leader.owner is None or leader.stale:
        return BROKEN, "nobody does the background work"
    return OK, "somebody does the background work"


async def _lists(service: Service) -> tuple[str, str]:
    status = await _status(service)
    if wrong := [one for one in status.projections if not one.fine]:
        return ATTENTION, f"{_number(len(wrong), 'projection')} to be looked at"
    lag_s = max((one.lag_s for one in status.projections), default=0.0)
    if lag_s > LAG_S:
        return ATTENTION, f"lists are {formatting.duration(lag_s)} behind the log"
    return OK, "lists follow the log"


async def _work(service: Service) -> tuple[str, str]:
    def read() -> int:
        with service.read_models.storage.control.connect() as connection:
            return sum(work.overdue for work in read_backlog(connection, LATE_S))

    overdue = await service.views.run_blocking(read)
    return (BROKEN, f"{_number(overdue, 'order')} overdue") if overdue else (OK, "no work is overdue")


async def _seals(service: Service) -> tuple[str, str]:
    status = await service.sealing.seals.status()
    if status.problem:
        return BROKEN, "sealing has stopped"
    return (ATTENTION, "nobody seals the log") if status.stale else (OK, "the log is being sealed")


async def _breaks(service: Service) -> tuple[str, str]:
    _, counts = await service.views.read(SETTLEMENT_BREAKS, count_breaks)
    found = counts.get(OPEN, 0)
    return (ATTENTION, f"{_number(found, 'open break')}") if found else (OK, "no open break")


async def _status(service: Service) -> Status:
    return await service.views.run_blocking(service.read_models.status)


def _number(number: int, what: str) -> str:
    return f"{formatting.count(number)} {what}{'' if number == 1 else 's'}"


_CHECKS: tuple[tuple[str, Look, str, frozenset[str]], ...] = (
    ("background work", _workers, "/operations", OPERATORS),
    ("lists", _lists, "/operations/projections", OPERATORS),
    ("open work", _work, "/operations/work", OPERATORS),
    ("seals", _seals, "/finance/log", FINANCE_READERS),
    ("breaks", _breaks, "/finance/breaks", FINANCE_READERS),
)

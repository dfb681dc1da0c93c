"""Checks of what goes on in the background: somebody is at work, and nothing lies there for too long."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from api.doctor.finding import Finding, fail, ok, warn
from api.doctor.patient import Patient
from api.read_models import NOTIFICATIONS
from api.seals import SealedLog
from application.adapters.seals.covering import read_status
from application.audit.seals.checkpoint import NotACheckpoint
from projections.notifications import find_notifications
from projections.open_work import PAYMENT
from projections.status import Standing
from projections.stuck_work import Backlog, read_backlog

WORK = "orders serve, or beside servers started with --no-work: orders work"
LATE_S = 120.0  # work that is due for longer than this: nobody does it, or nobody manages to
LAG_S = 10.0
SEAL_LAG_S = 60.0
SHOWN = 50


async def workers(patient: Patient) -> Finding:
    """A process does the background work."""
    status = await patient.blocking(patient.read_models.status)
    if status.leader.owner is None:
        return warn("no process has ever done the background work here", WORK)
    if status.leader.stale:
        return fail(f"nobody does the background work, for {status.leader.age_s or 0:,.0f} s", WORK)
    return ok(f"{status.leader.owner} is at work")


async def stuck_work(patient: Patient) -> Finding:
    """No order waits for longer than it should."""
    return await patient.blocking(partial(_stuck_work, patient))


def _stuck_work(patient: Patient) -> Finding:
    with patient.engine(patient.settings.views_url).connect() as connection:
        backlog = read_backlog(connection, LATE_S)
    policy = patient.policy
    stuck = [work for work in backlog if work.kind == PAYMENT and work.oldest_s > policy.held_expiry_s + LATE_S]
    if stuck:
        fix = "look the payment up at the gateway; orders notifications list names the order"
        return fail(f"a payment has been open for {stuck[0].oldest_s / 3600:,.0f} hours", fix)
    late = [work for work in backlog if work.overdue]
    told = ", ".join(_told(work) for work in backlog) or "nothing waits"
    return fail(f"overdue: {', '.join(_told(work) for work in late)}", WORK) if late else ok(told)


def _told(work: Backlog) -> str:
    number = f"{work.overdue} of {work.items}" if work.overdue else str(work.items)
    return f"{number} {work.kind}, the oldest {work.oldest_s / 60:,.0f} min old"


async def projections(patient: Patient) -> Finding:
    """The read models are up to date and whole."""
    status = await patient.blocking(patient.read_models.status)
    for name, bad, fix in (
        ("without rows for this version", [s for s in status.projections if s.generation is None], _rebuild),
        ("failing", [s for s in status.projections if s.last_error], lambda _: "orders projections status"),
        (
            "with events set aside",
            [s for s in status.projections if s.dead_letters],
            lambda _: "orders dead-letters list",
        ),
    ):
        if bad:
            return fail(f"{name}: {_names(bad)}", fix(bad))
    if old := [standing for standing in status.projections if standing.rebuild_needed]:
        return warn(f"made by other code: {_names(old)}", _rebuild(old))
    if waiting := [standing for standing in status.projections if standing.waits_for_decision]:
        return warn(f"a rebuilt generation waits for a decision: {_names(waiting)}", "orders projections status")
    lag_s = max((standing.lag_s for standing in status.projections), default=0.0)
    if lag_s > LAG_S:
        return warn(f"{lag_s:,.0f} s behind the log", WORK)
    return ok(f"{len(status.projections)} read models follow the log to position {status.head:,}")


def _rebuild(standings: list[Standing]) -> str:
    return f"orders projections rebuild {standings[0].name if len(standings) == 1 else '--all'}"


def _names(standings: list[Standing]) -> str:
    return ", ".join(standing.name for standing in standings)


async def seals(patient: Patient) -> Finding:
    """The log is sealed up to its end."""
    return await patient.blocking(partial(_seals, patient))


def _seals(patient: Patient) -> Finding:
    log = SealedLog(patient.settings)
    try:
        status = read_status(log.store)
        unseen = _without_checkpoints(log, patient.now())
    finally:
        log.close()
    if status.problem:
        return fail("sealing has stopped: the log does not extend what was sealed", "orders audit verify")
    if unseen:
        why = f"no checkpoints of {unseen} in {patient.settings.seals_folder}: here nobody would notice an old backup"
        return warn(why, "set ORDERS_SEALS_PATH to a folder that all hosts share")
    head = patient.read_models.log.head()
    sealed = status.last.position if status.last else 0
    since = patient.read_models.log.recorded_at(sealed) if head > sealed else None
    lag_s = (patient.now() - since).total_seconds() if since else 0.0
    if lag_s > SEAL_LAG_S:
        return warn(f"{head - sealed:,} events are not sealed, for {lag_s:,.0f} s", WORK)
    return ok(f"sealed up to position {sealed:,} of {head:,}")


def _without_checkpoints(log: SealedLog, now: datetime) -> str | None:
    """Since when the database has had seals that the checkpoints on this machine know nothing of."""
    note = log.file().last()
    try:
        size = log.signer().verifier.open(note).tree_size if note else 0
    except NotACheckpoint:
        return None  # verify names it
    missing = next(iter(log.store.seals(size, 1)), None)
    if missing is None or (now - missing.checkpoint.sealed_at).total_seconds() < SEAL_LAG_S:
        return None
    return f"{missing.checkpoint.sealed_at:%Y-%m-%d %H:%M} UTC and later"


async def notifications(patient: Patient) -> Finding:
    """Nothing waits for a person's look."""
    newest = partial(find_notifications, state="new", before=None, limit=SHOWN)
    _, rows = await patient.views.read(NOTIFICATIONS, newest)
    if not rows:
        return ok("none is new")
    number = str(len(rows)) if len(rows) <= SHOWN else f"more than {SHOWN}"
    kinds = ", ".join(sorted({row["kind"] for row in rows}))
    return warn(f"{number} new: {kinds}", "orders notifications list --state new")

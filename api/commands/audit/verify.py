"""`orders audit verify`: has anyone changed the log since it was sealed?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from api.commands.audit.sealed import progress, sealed_log
from api.commands.console import AsJson, fail, print_json, print_text
from application.times import utc_text

if TYPE_CHECKING:
    from application.audit.seals.checkpoint import Verifier
    from application.audit.seals.verifying import Report

MAX_KEY_CHARACTERS = 1000
MAX_KEPT_BYTES = 64 * 2**20


def verify(
    kept: Annotated[
        Path | None,
        typer.Option(
            "--checkpoint",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="An earlier checkpoint, or many of them, that you kept somewhere else.",
        ),
    ] = None,
    public_key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="The public key that you know, as orders audit seals shows it. (default: that of ORDERS_SEAL_KEY)",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Recompute every leaf of the log and hold it against all signed checkpoints: in the database, in the file beside
    it, and in a FILE that you kept. Names the first event that is not as it was sealed, and what was done to it.

    Without a FILE of your own nobody can see that log, seals and their file were all put back to an older state.

    Exit codes: 0 all is as it was sealed, 1 something is not (or nothing is sealed), 2 not possible.
    """
    from application.adapters.seals.files import split_notes
    from application.audit.seals.checkpoint import NotACheckpoint
    from application.audit.seals.verifying import verify as verify_log

    if kept is not None and kept.stat().st_size > MAX_KEPT_BYTES:
        fail(f"--checkpoint: the file is larger than {MAX_KEPT_BYTES >> 20} MB; give the last checkpoints of it")
    show = progress(as_json=as_json)
    with sealed_log() as log:
        verifier = log.signer().verifier if public_key is None else _given_key(public_key, log.store.log_id)
        try:
            lines = [] if kept is None else kept.read_text(encoding="utf-8").splitlines(keepends=True)
            report = verify_log(
                log.rows,
                log.store,
                log.file(),
                verifier,
                list(split_notes(lines)),
                lambda now: show(now.position, now.head),
            )
        except (NotACheckpoint, UnicodeDecodeError) as error:
            fail(f"--checkpoint: {error if isinstance(error, NotACheckpoint) else 'it is not text'}")
    if as_json:
        print_json(_as_json(report))
    else:
        print_text(*_lines(report))
    raise typer.Exit(0 if report.fine else 1)


def _given_key(file: Path, log_id: UUID) -> Verifier:
    from application.audit.seals.checkpoint import NotACheckpoint, Verifier

    try:
        return Verifier.from_text(file.read_text(encoding="utf-8")[:MAX_KEY_CHARACTERS], log_id)
    except (NotACheckpoint, UnicodeDecodeError):
        fail("--public-key: there is no public key in the file")


def _lines(report: Report) -> Iterator[str]:
    rate = report.events / max(report.seconds, 1e-9)
    yield f"{report.events:,} events in {report.seconds:.1f} s ({rate:,.0f} events/s)"
    for finding in report.findings:
        where = f"position {finding.position:,}" + (f" to {finding.up_to:,}" if finding.up_to else "")
        yield f"FOUND {finding.kind.value} at {where}: {finding.text}"
    if report.last is None:
        yield "nothing is sealed yet" if report.events else "the log is empty"
        return
    yield (
        f"checkpoints that hold: {report.checkpoints:,}; the last of them covers {report.sealed:,} events up to"
        f" position {report.last.position:,}, sealed at {report.last.sealed_at:%Y-%m-%d %H:%M:%S} UTC"
    )
    if report.unsealed:
        yield f"{report.unsealed:,} newer events are not sealed yet"
    if report.fine:
        yield "fine: the log is what was sealed"


def _as_json(report: Report) -> dict[str, Any]:
    last = report.last
    return {
        "fine": report.fine,
        "log": report.log,
        "events": report.events,
        "sealed_events": report.sealed,
        "unsealed_events": report.unsealed,
        "checkpoints": report.checkpoints,
        "last_checkpoint": None if last is None else shown_checkpoint(last),
        "findings": [
            {"kind": found.kind.value, "position": found.position, "up_to": found.up_to, "text": found.text}
            for found in report.findings
        ],
        "seconds": round(report.seconds, 3),
        "events_per_s": round(report.events / max(report.seconds, 1e-9)),
    }


def shown_checkpoint(checkpoint: Any) -> dict[str, Any]:
    return {
        "events": checkpoint.tree_size,
        "position": checkpoint.position,
        "root_hash": checkpoint.root.hex(),
        "sealed_at": utc_text(checkpoint.sealed_at),
    }

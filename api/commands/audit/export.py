"""`orders audit export`: events with their proofs, for somebody who has no access to us."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from rich.markup import escape

from api.commands.audit.sealed import progress, sealed_log
from api.commands.audit.verify import shown_checkpoint
from api.commands.console import AsJson, errors, fail, print_json, print_text
from api.commands.operators import operate, order_named

if TYPE_CHECKING:
    from api.bootstrap import Service
    from api.seals import SealedLog
    from application.audit.seals.bundle import Select
    from application.audit.seals.leaf import Row

_MONTH = re.compile(r"(\d{4})-(\d{2})")
_DAYS = re.compile(r"(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})")

Span = tuple[datetime, datetime]


def export(
    what: Annotated[str, typer.Argument(metavar="ORDER|YYYY-MM|FROM..TO", help="An order, a month, or days (UTC).")],
    out: Annotated[Path, typer.Option(dir_okay=False, help="The zip file to write.")],
    as_json: AsJson = False,
) -> None:
    """Write the stored events of an order, a month or some days (the last one included) with the proof that they were
    sealed, the signed checkpoints, the public key, and a script that checks all of it without access to us.

    Personal data stays encrypted in it. Of an order, what was recorded in its duplicate window and its promotion's
    redemption comes with it.

    Exit codes: 0 written, 1 not yet (newer than the last seal) or not as sealed (run verify), 2 not possible.
    """
    from application.audit.seals.bundle import NotExported, NotSealedYet, SealsBroken
    from application.audit.seals.bundle import export as write_bundle

    span = _span(what)
    order, rows = (None, None) if span else operate(lambda service: _of_order(service, what))
    show = progress(as_json=as_json)
    with sealed_log() as log:
        try:
            select = _selected(log, span, rows, show)
            bundle = write_bundle(out, what, select, log.store, log.signer().verifier, order)
        except (NotSealedYet, SealsBroken) as not_yet:
            errors.print(escape(str(not_yet)), soft_wrap=True)
            raise typer.Exit(1) from not_yet
        except NotExported as refused:
            fail(str(refused))
    if as_json:
        print_json(
            {
                "file": str(out),
                "sha256": bundle.sha256,
                "events": bundle.events,
                "sealed": shown_checkpoint(bundle.sealed),
                "latest": shown_checkpoint(bundle.latest),
            }
        )
    else:
        print_text(
            f"{out}: {bundle.events:,} events, sealed at {bundle.sealed.sealed_at:%Y-%m-%d %H:%M:%S} UTC"
            f" (SHA-256 {bundle.sha256})",
            "check it anywhere: python verify_bundle.py FILE [PUBLIC-KEY]; the script lies in it, the key is shown by:"
            " orders audit seals",
        )


def _span(what: str) -> Span | None:
    """The time that is meant; None where it is an order."""
    try:
        if month := _MONTH.fullmatch(what):
            start = datetime(int(month[1]), int(month[2]), 1, tzinfo=UTC)
            return start, (start + timedelta(days=31)).replace(day=1)
        if days := _DAYS.fullmatch(what):
            start, end = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in days.groups())
            if start > end:
                fail("the first day comes after the last one")
            return start, end + timedelta(days=1)
    except (ValueError, OverflowError):
        fail("there is no such day or month")
    return None


def _selected(log: SealedLog, span: Span | None, rows: list[Row] | None, show: Callable[[int, int], None]) -> Select:
    from application.audit.seals.spans import recorded_between

    if span is None:
        return lambda: iter(rows or ())
    head = log.rows.head()
    return recorded_between(log.rows, *span, lambda position: show(position, head))


async def _of_order(service: Service, name: str) -> tuple[str, list[Row]]:
    """The id of the order's stream, its own events, and those of its guards that were recorded for it."""
    order = await service.streams.order(order_id := await order_named(service, name))
    if order.requested is None:
        return str(order_id), []
    guards: list[UUID] = [order.requested.duplicate_window_id]
    if order.promotion is not None:
        guards.append(order.promotion.redemption_id)
    correlations = {event.correlation_id for _, event in await service.events.history(order_id)}
    found = await service.events.recorder.select([order_id, *guards])
    return str(order_id), sorted(
        (stored.id, str(stored.originator_id), stored.originator_version, stored.topic, bytes(stored.state))
        for stored in found
        if stored.originator_id == order_id or service.events.codec.decode(stored).correlation_id in correlations
    )

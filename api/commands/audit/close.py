"""`orders audit close` and `reproduce`: make a month's books final, and make them again from the sealed log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from api.commands.audit.progress import shown_progress
from api.commands.console import AsJson, print_json, print_text
from api.commands.operators import ActorName, actor_of, new_request, operate
from application.audit.closing import CloseMonth, Closing, Reproduced
from application.operations import NotPossible
from application.ports.books import NotMade
from application.receipt import money
from domain.period import Period
from domain.pricing import CURRENCY

if TYPE_CHECKING:
    from api.bootstrap import Service  # takes seconds to import: only a command that runs needs it

T = TypeVar("T")

Month = Annotated[str, typer.Argument(metavar="MONTH", help="As 2026-10; UTC.")]


def close(
    month: Month,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", file_okay=False, help="Also keep the exports in this folder.")
    ] = None,
    actor: ActorName = None,
    as_json: AsJson = False,
) -> None:
    """Close a month: its books become final, with the hash of every export and the seal of the log they came from.

    It is closed only if nothing was set aside, everything is sealed, the trial balance is zero, the gateway's
    settlements agree and every break is resolved or owned.

    Of a month that was closed before, the exports are made again, as by reproduce.

    Exit codes: 0 it is closed (also if it was before), 1 something stands in its way: each with the next command, or
    what was made again differs, 2 it could not be tried.
    """
    who, request = actor_of(actor), new_request()
    found = _run(lambda run: run.close(month, out=out, actor=who, request=request, progress=shown_progress()))
    closed, again = found.period.closed, found.again
    differences = list(again.differences) if again else []
    if as_json:
        unmet = [asdict(each) for each in found.unmet]
        shown = {"month": month, "closed": _as_json(closed) if closed else None, "unmet": unmet}
        print_json(shown | ({"differences": differences} if again else {}))
    elif closed:
        made_again = _reproduced(month, out, again) if out and again else []
        print_text(f"{month} is closed", *_lines(closed), *made_again)
    else:
        print_text(f"{month} is not closed:", *_unmet(found))
    raise typer.Exit(0 if closed and not differences else 1)


def reproduce(
    month: Month,
    out: Annotated[Path, typer.Option(metavar="DIR", file_okay=False, help="Folder of the files; it is made.")],
    as_json: AsJson = False,
) -> None:
    """Make the exports of a closed month again, from the sealed part of the log, and compare them with the closing.

    Exit codes: 0 the same bytes, 1 a difference, 2 the month is not closed or the books could not be made.
    """
    found = _run(lambda run: run.reproduce(month, out=out, progress=shown_progress()))
    if as_json:
        made = {each.format: each.sha256 for each in found.books.exports}
        differences = list(found.differences)
        print_json({"month": month, "closed": _as_json(found.closed), "made": made, "differences": differences})
    else:
        print_text(*_reproduced(month, out, found))
    raise typer.Exit(1 if found.differences else 0)


def _run(act: Callable[[CloseMonth], Awaitable[T]]) -> T:
    async def in_service(service: Service) -> T:
        from api.closing import month_close

        with month_close(service) as run:
            try:
                return await act(run)
            except NotMade as failed:
                raise NotPossible(str(failed)) from failed

    return operate(in_service)


def _unmet(found: Closing) -> list[str]:
    return [line for each in found.unmet for line in (f"  {each.what}", f"    next: {each.next_command}")]


def _lines(closed: Period.Closed) -> list[str]:
    return [
        f"  by {closed.actor} at {closed.timestamp:%Y-%m-%d %H:%M} UTC",
        f"  books from the log up to position {closed.cut_off_position:,}",
        f"  sealed: {closed.tree_size:,} events, root {closed.root_hash}",
        f"  {closed.entries:,} entries, {closed.postings:,} postings,"
        f" {money(closed.debit_cents, CURRENCY)} on each side",
        f"  {closed.owned_breaks} settlement breaks are owned and not resolved yet",
        *(f"  {each.sha256}  {each.format}" for each in closed.exports),
    ]


def _reproduced(month: str, out: Path, found: Reproduced) -> list[str]:
    if not found.differences:
        return [f"{month}: the same bytes as at the closing, in {out}"]
    return [f"{month}: DIFFERENT from its closing", *(f"  {difference}" for difference in found.differences)]


def _as_json(closed: Period.Closed) -> dict[str, Any]:
    return {
        "closed_at": closed.timestamp.isoformat(),
        "actor": closed.actor,
        "cut_off_position": closed.cut_off_position,
        "tree_size": closed.tree_size,
        "root_hash": closed.root_hash,
        "rules": [asdict(rule) for rule in closed.rules],
        "exports": {each.format: each.sha256 for each in closed.exports},
        "entries": closed.entries,
        "postings": closed.postings,
        "debit_cents": closed.debit_cents,
        "owned_breaks": closed.owned_breaks,
    }

"""`orders audit reconcile`: compare the log with what the gateway settled."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.commands.audit.break_view import break_lines, shown_break
from api.commands.audit.progress import shown_progress
from api.commands.console import AsJson, fail, print_json, print_text
from api.commands.operators import ActorName, actor_of, new_request, operate
from application.audit.reconciliation.reconcile import Reconciled
from application.operations import NotPossible
from application.ports import LookupFailed
from application.receipt import money
from domain.pricing import CURRENCY
from domain.settlement_break import BreakClass

if TYPE_CHECKING:
    from api.bootstrap import Service  # they take seconds to import: only a command that runs needs them
    from api.clearing import Clearing

MAX_DAYS = 5 * 365


def reconcile(
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], metavar="DATE", help="First day, UTC.")],
    last: Annotated[
        datetime, typer.Option("--to", formats=["%Y-%m-%d"], metavar="DATE", help="The day after the last one, UTC.")
    ],
    grace_days: Annotated[
        int, typer.Option(min=1, max=30, help="How many days a charge may take to settle before it is missing.")
    ] = 3,
    actor: ActorName = None,
    as_json: AsJson = False,
) -> None:
    """Import what the gateway settled in the days from --from up to --to, and compare it with the log.

    Every disagreement is a break with its cause and the next command. Running it again is safe and adds
    only that it was run.

    Exit codes: 0 no open break (owned ones are somebody's already); 1 open breaks, or a clearing account that is not
    made of what is awaited, in breaks, written off, or of days not reconciled yet; 2 the gateway or the database could
    not be read: what was imported stays, and the same command goes on from there.
    """
    since, until = first.replace(tzinfo=UTC), last.replace(tzinfo=UTC)
    if not timedelta() < until - since <= timedelta(days=MAX_DAYS):
        fail(f"--to comes after --from, by at most {MAX_DAYS} days")
    who, request, progress, grace = actor_of(actor), new_request(), shown_progress(), timedelta(days=grace_days)

    async def act(service: Service) -> tuple[Reconciled, Clearing | None]:
        from api.clearing import clearing
        from api.reconciliation import reconciliation

        async with reconciliation(service) as run:
            try:
                done = await run(since, until, actor=who, request=request, progress=progress, grace=grace)
                return done, await clearing(service, done)
            except LookupFailed as failure:
                raise NotPossible(
                    f"the gateway cannot be read now ({failure.reason}); what was imported stays: try again"
                ) from failure

    found, account = operate(act)
    if as_json:
        print_json(_as_json(found) | {"clearing": None if account is None else asdict(account)})
    else:
        print_text(*_lines(found), *_clearing_lines(account))
    raise typer.Exit(1 if found.open_breaks or (account and not account.adds_up) else 0)


def _lines(found: Reconciled) -> list[str]:
    imported, comparison, terms = found.imported, found.comparison, found.terms
    lines = [
        f"from {terms.first:%Y-%m-%d} up to {terms.last:%Y-%m-%d} (UTC), at position {found.position:,} of the log",
        f"imported {imported.batches} batches with {imported.transactions:,} transactions;"
        f" {imported.known_batches} were known",
        *(
            f"  batch {header.batch_id} is {header.state}, so it is not imported yet; run this again later"
            for header in imported.not_settled
        ),
        "",
        f"{'matched':<20} {comparison.matched:>8,}  {money(comparison.matched_cents, CURRENCY)} net",
        f"{'not settled yet':<20} {comparison.waiting:>8,}",
        *(f"{name:<20} {count:>8,}" for name, count in _counts(found).items()),
        "",
    ]
    if not found.breaks:
        return [*lines, "no open break"]
    for known in found.breaks:
        lines += break_lines(shown_break(known))
    return [*lines, "", f"{len(found.open_breaks)} open, {len(found.breaks) - len(found.open_breaks)} owned"]


def _clearing_lines(account: Clearing | None) -> list[str]:
    if account is None:
        return ["clearing account: the ledger has not come this far; see: orders projections status"]
    awaited, broken, later, written_off = (
        account.awaited, account.in_breaks, account.not_reconciled, account.written_off
    )  # fmt: skip
    return [
        f"clearing account {money(account.balance_cents, CURRENCY)}:"
        f" {awaited.items:,} awaited {money(awaited.amount_cents, CURRENCY)},"
        f" {broken.items:,} in breaks {money(broken.amount_cents, CURRENCY)},"
        f" {written_off.items:,} written off by a person {money(written_off.amount_cents, CURRENCY)},"
        f" {later.items:,} of days not reconciled yet {money(later.amount_cents, CURRENCY)}",
        *(f"  UNEXPLAINED: transaction {item}, {money(cents, CURRENCY)}" for item, cents in account.unexplained),
    ]


def _counts(found: Reconciled) -> dict[str, int]:
    counts = found.comparison.counts
    return {name.value: counts[name] for name in BreakClass}


def _as_json(found: Reconciled) -> dict[str, Any]:
    imported, comparison, terms = found.imported, found.comparison, found.terms
    return {
        "from": terms.first.isoformat(),
        "to": terms.last.isoformat(),
        "grace_days": terms.grace.days,
        "position": found.position,
        "imported": {
            "batches": imported.batches,
            "transactions": imported.transactions,
            "known_batches": imported.known_batches,
            "not_settled": [{"batch_id": each.batch_id, "state": each.state} for each in imported.not_settled],
        },
        "matched": comparison.matched,
        "matched_cents": comparison.matched_cents,
        "waiting": comparison.waiting,
        "counts": _counts(found),
        "open_breaks": len(found.open_breaks),
        "breaks": [shown_break(known) for known in found.breaks],
    }

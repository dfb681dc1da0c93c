"""`orders ledger`: the double-entry books that the log makes: balances, entries, open items, exports."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path
from time import monotonic
from typing import Annotated, Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
import typer

from api.commands.console import AsJson, errors, fail, print_json, print_text
from api.commands.projections import PROGRESS_S, opened
from api.read_models import LEDGER, ORDERS, ReadModels
from projections.ledger.accounts import CLEARING
from projections.ledger.balances import At, Selection, open_items, totals, trial_balance
from projections.ledger.entries import find_postings
from projections.ledger.exports.journal import amount_text, utc_text
from projections.ledger.exports.writing import FORMATS, export_journal
from projections.ledger.reading import reading
from projections.model import Row
from projections.orders import OrderFilter, find_orders
from projections.paging import Page, Span
from projections.registry import RebuildNeeded

MAX_ENTRIES = 1_000

app = typer.Typer(help="The double-entry ledger: trial balance, entries, open items, exports.")

Moment = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="TIME|POSITION",
        help="Before this instant (UTC; a date is its midnight), or up to and with this position of the log.",
    ),
]


@app.command("trial-balance")
def show_trial_balance(
    at: Moment = None,
    effective: Annotated[
        bool, typer.Option("--effective", help="A TIME is when it happened, not when it was recorded.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what every account stands at. Exit codes: 0 the sides are equal, 1 they are not, 2 not possible."""
    selection = Selection.at(_at(at), effective=effective)
    with _ledger() as (_, position, connection):
        rows = trial_balance(connection, selection)
    bottom = totals(rows)
    if as_json:
        print_json({"accounts": rows, "totals": bottom, "position": position})
    else:
        names = ("debit_cents", "credit_cents", "balance_cents")
        lines = [(row["account"], *(amount_text(row[name]) for name in names)) for row in rows]
        lines.append(("total", *(amount_text(bottom[name]) for name in names)))
        print_text(*_columns([("account", "debit", "credit", "balance"), *lines]))
    raise typer.Exit(1 if bottom["balance_cents"] else 0)


@app.command("entries")
def show_entries(
    account: Annotated[str | None, typer.Option(help="Only this account, and those below it.")] = None,
    order: Annotated[str | None, typer.Option(help="Only what was booked for this order: its id or number.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MAX_ENTRIES, help="So many postings at most.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="What the page before ended with.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show postings, newest first, each with its event and rule. Exit codes: 0 done, 2 not possible."""
    page = Page(limit, _cursor(cursor))
    with _ledger() as (models, position, connection):
        order_id = _order_named(models, order) if order else None
        rows = find_postings(connection, Span(), page, account=account, order_id=order_id)
    last = rows[limit - 1] if len(rows) > limit else None
    rows, next_cursor = rows[:limit], f"{last['position']}.{last['line']}" if last else None
    if as_json:
        print_json({"postings": [_as_json(row) for row in rows], "next_cursor": next_cursor, "position": position})
        return
    heads = ("position", "recorded", "account", "debit", "credit", "item", "rule")
    print_text(*_columns([heads, *map(_posting_line, rows)]))
    if next_cursor:
        print_text(f"more: --cursor {next_cursor}")


@app.command("open-items")
def show_open_items(at: Moment = None, as_json: AsJson = False) -> None:
    """Show which transactions the clearing balance is made of: charged or refunded and not settled, or settled and
    not known here. Exit codes: 0 done, 1 the items are not the balance, 2 not possible."""
    moment = _at(at)
    with _ledger() as (_, position, connection):
        rows = open_items(connection, moment)
        balances = {row["account"]: row["balance_cents"] for row in trial_balance(connection, Selection.at(moment))}
    balance_cents = balances.get(CLEARING, 0)
    if as_json:
        items = [_as_json(row) for row in rows]
        print_json({"items": items, "account": CLEARING, "balance_cents": balance_cents, "position": position})
    else:
        lines = [(row["item"] or "", amount_text(row["amount_cents"]), row["rule"], _time(row)) for row in rows]
        print_text(*_columns([("transaction", "amount", "first booked by", "recorded"), *lines]))
        print_text(f"{CLEARING}: {amount_text(balance_cents)}")
    raise typer.Exit(1 if sum(row["amount_cents"] for row in rows) != balance_cents else 0)


@app.command()
def export(
    out: Annotated[Path, typer.Option(metavar="DIR", file_okay=False, help="Folder of the files; it is made.")],
    wanted: Annotated[list[str] | None, typer.Option("--format", help="Repeatable: " + ", ".join(FORMATS))] = None,
    every: Annotated[bool, typer.Option("--all-formats", help="All of them.")] = False,
    start: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Recorded from this instant on.")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Recorded before this instant.")] = None,
    period: Annotated[str | None, typer.Option(metavar="YYYY-MM", help="Booked in this month.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write the journal to files, with a manifest of counts, sums and hashes. Exit codes: 0 done, 2 not possible."""
    formats = list(FORMATS) if every else list(dict.fromkeys(wanted or ()))
    if not formats or not set(formats) <= set(FORMATS):
        fail("give --format (" + ", ".join(FORMATS) + ") or --all-formats")
    if period is not None and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", period):
        fail("--period is a month, as 2026-10")
    selection = Selection(Span(_instant(start, "--from"), _instant(end, "--to")), period=period)
    with _ledger() as (_, _position, connection):
        try:
            manifest = export_journal(connection, out, formats, selection, _progress(as_json=as_json))
        except OSError as error:
            fail(f"--out: the files cannot be written ({error.strerror or type(error).__name__})")
    if as_json:
        print_json(manifest)
        return
    print_text(f"{manifest['entries']:,} entries, {manifest['postings']:,} postings")
    print_text(*(f"{file['sha256']}  {out / file['name']}" for file in manifest["files"]), str(out / "manifest.json"))


@contextmanager
def _ledger() -> Iterator[tuple[ReadModels, int, sa.Connection]]:
    """One moment of the ledger. What cannot be done ends the command with exit code 2."""
    with opened() as models:
        models.follow_if_nobody_does()
        try:
            with reading(models.storage, LEDGER) as (position, connection):
                yield models, position, connection
        except RebuildNeeded as needed:
            fail(str(needed))


def _order_named(models: ReadModels, name: str) -> UUID:
    with reading(models.storage, ORDERS) as (_, connection):
        found = find_orders(connection, OrderFilter(q=name, limit=1))
    if len(found) != 1:
        fail("--order: there is no such order" if not found else "--order: several orders have that name")
    return found[0][0]


def _at(text: str | None) -> At:
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,18}", text) else _instant(text, "--at")


def _instant(text: str | None, option: str) -> datetime | None:
    """A date, which stands for its midnight in UTC, or an instant with its offset."""
    if text is None:
        return None
    try:
        if len(text) == len("2026-11-23"):
            return datetime.combine(date.fromisoformat(text), time(), UTC)
        moment = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{option} is a date (2026-11-23) or an instant with its offset (2026-11-23T09:30:00Z)")
    if moment.tzinfo is None:
        fail(f"{option} has no offset: 2026-11-23T09:30:00Z")
    return moment.astimezone(UTC)


def _cursor(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    if not (found := re.fullmatch(r"([0-9]{1,18})\.([0-9]{1,9})", text)):
        fail("--cursor is what the page before ended with")
    return int(found[1]), int(found[2])


def _posting_line(row: Row) -> tuple[str, ...]:
    sides = (amount_text(row[side]) if row[side] else "" for side in ("debit_cents", "credit_cents"))
    rule = f"{row['rule']}/{row['rule_version']}"
    return (str(row["position"]), _time(row), row["account"], *sides, row["item"] or "", rule)


def _time(row: Row) -> str:
    return str(row["recorded_at"].strftime("%Y-%m-%d %H:%M:%S"))


def _as_json(row: Row) -> dict[str, Any]:
    return {name: utc_text(value) if isinstance(value, datetime) else value for name, value in row.items()}


def _columns(rows: list[tuple[str, ...]]) -> Iterator[str]:
    """Lines with their columns side by side; amounts to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    right = {column for column, head in enumerate(rows[0]) if head in ("debit", "credit", "balance", "amount")}
    for row in rows:
        cells = (c.rjust(w) if n in right else c.ljust(w) for n, (c, w) in enumerate(zip(row, widths, strict=True)))
        yield "  ".join(cells).rstrip()


def _progress(*, as_json: bool) -> Any:
    """Percent, entries per second and time left, on stderr, now and then and at the end."""
    began_s = last_s = monotonic()

    def show(done: int, total: int) -> None:
        nonlocal last_s
        now_s = monotonic()
        if now_s - last_s < PROGRESS_S and done < total:
            return
        last_s = now_s
        rate = done / max(now_s - began_s, 1e-9)
        percent, left_s = 100.0 * done / max(total, 1), (total - done) / max(rate, 1e-9)
        if as_json:
            values = {"entries": done, "total": total, "percent": round(percent, 2), "entries_per_s": round(rate)}
            sys.stderr.write(msgspec.json.encode(values).decode() + "\n")
        else:
            errors.print(f"{percent:6.2f} %  {done:,} of {total:,} entries  {rate:,.0f}/s  {left_s:.0f} s left")

    return show

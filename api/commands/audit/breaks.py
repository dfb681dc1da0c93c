"""`orders audit breaks`: what the log and the gateway disagree about, and who deals with it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from api.commands.audit.break_view import break_lines, shown_break
from api.commands.console import AsJson, fail, print_json, print_text
from api.commands.operators import MAX_ACTOR_CHARS, OPERATOR, ActorName, Reason, actor_of, new_request, operate
from domain.settlement_break import SettlementBreak

if TYPE_CHECKING:
    from api.bootstrap import Service  # takes seconds to import: only a command that runs needs it

app = typer.Typer(help="Breaks between the log and the gateway: list, own, resolve.")


class State(StrEnum):
    OPEN = "open"
    OWNED = "owned"
    RESOLVED = "resolved"


BreakId = Annotated[UUID, typer.Argument(metavar="ID", help="Id of the break.")]


@app.command("list")
def list_breaks(
    state: Annotated[State | None, typer.Option(help="Only those in this state; else all unresolved ones.")] = None,
    as_json: AsJson = False,
) -> None:
    """List breaks, oldest first. Exit codes: 0 none is open, 1 some are, 2 not possible."""

    async def act(service: Service) -> list[SettlementBreak]:
        from api.reconciliation import breaks

        return await breaks(service).all()

    every = operate(act)
    shown = [known for known in every if (known.state == state.value if state else known.state != "resolved")]
    if as_json:
        print_json({"breaks": [shown_break(known) for known in shown]})
    else:
        lines = [line for known in shown for line in break_lines(shown_break(known))]
        print_text(*(lines or ["no breaks"]))
    raise typer.Exit(1 if any(known.state == "open" for known in every) else 0)


@app.command()
def own(
    break_id: BreakId,
    reason: Reason,
    owner: Annotated[str | None, typer.Option(metavar="NAME", help="Who deals with it. (default: who acts)")] = None,
    actor: ActorName = None,
    as_json: AsJson = False,
) -> None:
    """Make somebody answerable for a break. Exit codes: 0 done, 2 not possible."""
    who, request = actor_of(actor), new_request()
    whose = who.removeprefix(OPERATOR) if owner is None else owner.strip()
    if not whose or not whose.isprintable() or len(whose) > MAX_ACTOR_CHARS:
        fail(f"--owner: give 1 to {MAX_ACTOR_CHARS} printable characters")

    async def act(service: Service) -> SettlementBreak:
        from api.reconciliation import breaks

        return await breaks(service).own(break_id, whose, actor=who, reason=reason, request=request)

    _print(operate(act), as_json=as_json)


@app.command()
def resolve(break_id: BreakId, reason: Reason, actor: ActorName = None, as_json: AsJson = False) -> None:
    """Record that a break has been dealt with. Exit codes: 0 done, 2 not possible."""
    who, request = actor_of(actor), new_request()

    async def act(service: Service) -> SettlementBreak:
        from api.reconciliation import breaks

        return await breaks(service).resolve(break_id, actor=who, reason=reason, request=request)

    _print(operate(act), as_json=as_json)


def _print(known: SettlementBreak, *, as_json: bool) -> None:
    if as_json:
        print_json({"break": shown_break(known)})
    else:
        print_text(*break_lines(shown_break(known)))
